/** Prints operations in stages, and what one would affect. */
import {
  fleetTargetText,
  type OperationPreview,
  type OperationState,
  type OperationSummary,
  type OperationView,
} from '@imapfleet/api'
import { amount } from './amount.ts'
import type { Style } from './colour.ts'
import { edgeColumn } from './edge-column.ts'
import { facts, table, type Column, type TableLayout } from './table.ts'
import { timeColumn } from './time-column.ts'
import { dayAndClock } from './time.ts'

type Stage = OperationView['stages'][number]
type StageEdge = Stage['edges'][number]

const stateStyle: Readonly<Record<OperationState, Style>> = {
  running: 'green',
  stopped: 'red',
  completed: 'dim',
  aborted: 'yellow',
}

/** `region us (2 of 3)`. */
export function stageText({
  stages,
  state,
}: {
  stages: readonly Pick<Stage, 'region' | 'state'>[]
  state: OperationState
}): string {
  const current = stages.findIndex((stage) => stage.state === 'current')
  if (current < 0) return `${state}, ${stages.length} of ${stages.length} regions`
  return `${state}, region ${stages[current]!.region} (${current + 1} of ${stages.length})`
}

/** `This affects 3 edges in 2 regions (eu, us): 120 users, 80 sessions, 40 idle connections.` */
export function previewText(preview: OperationPreview, isAtOnce: boolean): string {
  const { edges, regions, users, active, idle, uncounted } = preview
  const numbers = [amount(users, 'user'), amount(active, 'session'), amount(idle, 'idle connection')].join(
    ', ',
  )
  const missing = uncounted.length === 0 ? '' : ` ${uncounted.join(', ')} did not count.`
  const how =
    isAtOnce && regions.length > 1
      ? ' It is carried out everywhere at once.'
      : preview.pace === 'staged'
        ? ' It is carried out region by region.'
        : ''
  const where = `${amount(edges, 'edge')} in ${amount(regions.length, 'region')} (${regions.join(', ')})`
  return `This affects ${where}: ${numbers}.${missing}${how}`
}

export const operationColumns: Column<OperationSummary>[] = [
  { title: 'ID', cell: (operation) => operation.id, cut: 'never' },
  timeColumn('WHEN', (operation) => operation.createdAt),
  { title: 'WHO', cell: (operation) => operation.createdBy },
  { title: 'FOR', cell: (operation) => fleetTargetText(operation.target) },
  { title: 'WHAT', cell: (operation) => operation.title },
  { title: 'PROGRESS', cell: stageText, style: ({ state }) => stateStyle[state] },
  { title: 'REASON', cell: (operation) => operation.reason ?? '', cut: 'middle' },
]

const statusStyle: Readonly<Record<StageEdge['status'], Style>> = {
  pending: 'yellow',
  done: 'green',
  failed: 'red',
  silent: 'red',
}

interface Row extends StageEdge {
  region: string
  state: Stage['state']
}

const edgeColumns: Column<Row>[] = [
  { title: 'REGION', cell: (row) => row.region },
  { title: 'STATE', cell: (row) => row.state },
  edgeColumn('EDGE', (row) => row.id),
  {
    title: 'STATUS',
    cell: (row) => (row.state === 'waiting' ? '' : row.status),
    style: (row) => (row.state === 'waiting' ? undefined : statusStyle[row.status]),
  },
  { title: 'REASON', cell: (row) => row.reason ?? '', cut: 'middle' },
]

export function operationLines(operation: OperationView, page: TableLayout): string[] {
  const { id, title, target, reason, createdAt, createdBy, finishedAt, soakSeconds } = operation
  const rows = operation.stages.flatMap(({ region, state, edges }) =>
    edges.map((edge): Row => ({ ...edge, region, state })),
  )
  return [
    ...facts(
      [
        ['operation', id],
        ['what', title],
        ['for', fleetTargetText(target)],
        ['progress', stageText(operation)],
        ...(reason === null ? [] : [['reason', reason] as const]),
        ['soak time', `${soakSeconds} s for each region`],
        ['started', `${dayAndClock(createdAt)} by ${createdBy}`],
        ...(finishedAt === null ? [] : [['finished', dayAndClock(finishedAt)] as const]),
      ],
      page,
    ),
    ...table(edgeColumns, rows, page),
  ]
}
