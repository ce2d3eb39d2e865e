/** Prints rollouts: progress, waves and edges. */
import {
  isUnderWay,
  layerText,
  type LayerName,
  type RolloutState,
  type RolloutSummary,
  type RolloutView,
} from '@imapfleet/api'
import type { Style } from './colour.ts'
import { edgeColumn } from './edge-column.ts'
import { facts, table, type Column, type TableLayout } from './table.ts'
import { timeColumn } from './time-column.ts'
import { dayAndClock } from './time.ts'

type Wave = RolloutView['waves'][number]
type WaveEdge = Wave['edges'][number]

const stateStyle: Readonly<Record<RolloutState, Style>> = {
  running: 'green',
  paused: 'yellow',
  completed: 'dim',
  'rolled-back': 'red',
  aborted: 'red',
}

/** `wave 2 of 3 (region eu)`. */
export function progressText({ waves }: { waves: readonly Pick<Wave, 'name' | 'state'>[] }): string {
  const current = waves.findIndex(({ state }) => state === 'current')
  if (current < 0) return `${waves.filter(({ state }) => state === 'done').length} of ${waves.length} waves`
  return `wave ${current + 1} of ${waves.length} (${waves[current]?.name ?? ''})`
}

export const rolloutColumns: Column<RolloutSummary>[] = [
  { title: 'REVISION', cell: (rollout) => String(rollout.revision), align: 'right' },
  { title: 'LAYER', cell: (rollout) => layerText(rollout.layer) },
  {
    title: 'STATE',
    cell: (rollout) => rollout.state,
    cut: 'never',
    style: (rollout) => stateStyle[rollout.state],
  },
  { title: 'PROGRESS', cell: progressText, room: 12 },
  timeColumn('STARTED', (rollout) => rollout.createdAt),
  { title: 'WHO', cell: (rollout) => rollout.createdBy, hide: 'first' },
  { title: 'REASON', cell: (rollout) => rollout.reason ?? '', cut: 'middle' },
]

const statusStyle: Readonly<Record<WaveEdge['status'], Style | undefined>> = {
  waiting: undefined,
  pending: 'yellow',
  applied: 'green',
  rejected: 'red',
  silent: 'red',
  skipped: 'yellow',
}

interface Row extends WaveEdge {
  wave: string
  state: Wave['state']
}

const edgeColumns: Column<Row>[] = [
  { title: 'WAVE', cell: (row) => row.wave },
  { title: 'STATE', cell: (row) => row.state },
  edgeColumn('EDGE', (row) => row.id),
  { title: 'REGION', cell: (row) => row.region },
  { title: 'STATUS', cell: (row) => row.status, style: (row) => statusStyle[row.status] },
]

export function rolloutLines(rollout: RolloutView, page: TableLayout): string[] {
  const { revision, layer, state, reason, createdAt, createdBy, finishedAt, undoneBy, waves } = rollout
  const rows = waves.flatMap(({ name, state: waveState, edges }) =>
    edges.map((edge): Row => ({ ...edge, wave: name, state: waveState })),
  )
  return [
    ...facts(
      [
        ['revision', `${revision} of ${layerText(layer)}`],
        ['state', state],
        ...(reason === null ? [] : [['reason', reason] as const]),
        ...(undoneBy === null ? [] : [['rolled back', `by revision ${undoneBy}`] as const]),
        ['progress', progressText(rollout)],
        ['started', `${dayAndClock(createdAt)} by ${createdBy}`],
        ...(finishedAt === null ? [] : [['finished', dayAndClock(finishedAt)] as const]),
      ],
      page,
    ),
    ...table(edgeColumns, rows, page),
  ]
}

/** One line for each rollout under way, whose values the layers of the configuration do not have yet. */
export const underWayLines = (
  rollouts: readonly Pick<RolloutSummary, 'revision' | 'layer' | 'state' | 'waves'>[],
): string[] =>
  rollouts
    .filter(isUnderWay)
    .map(
      (rollout) =>
        `revision ${rollout.revision} of ${layerText(rollout.layer)} is being rolled out, and its values are not shown: ` +
        `${rollout.state}, ${progressText(rollout)} (\`imapfleet rollouts show ${rollout.revision}\`)`,
    )

/** What a change of a layer above that of a rollout under way means for it. Undefined: no rollout is concerned. */
export function besideRollout(
  changed: readonly { layer: LayerName; edges: readonly { region: string }[] }[],
  rollouts: readonly Pick<RolloutSummary, 'revision' | 'layer' | 'state'>[],
): string | undefined {
  for (const { revision, layer: under } of rollouts.filter(isUnderWay)) {
    const over = changed.filter(
      ({ layer, edges }) =>
        layerText(layer) !== layerText(under) &&
        (under.kind === 'global' ||
          (under.kind === 'region' &&
            layer.kind === 'edge' &&
            edges.some(({ region }) => region === under.name))),
    )
    if (over.length > 0)
      return (
        `the rollout of revision ${revision} of ${layerText(under)} continues: its edges take part in it, and keys of ` +
        `${over.map(({ layer }) => layerText(layer)).join(', ')} override its keys (\`imapfleet rollouts show ${revision}\`)`
      )
  }
  return undefined
}
