/** A rollout in the form of the API: by wave and by edge. */
import type { AccessLimits, RolloutSummary, RolloutView } from '@imapfleet/api'
import { allowsRegion } from '../../platform/access.ts'
import type { Hearing } from '../edges/hearing.ts'
import type { EdgeRow } from '../edges/queries.ts'
import type { RevisionRow } from '../config/queries.ts'
import type { RolloutRow } from './queries.ts'
import { timeLeft } from './assess.ts'
import { layerNameOf } from '../config/revision-view.ts'
import { statusOfRevision } from '../desired/service.ts'

type WaveView = RolloutView['waves'][number]

/** `edges`, and what the settings name, are within the limits. */
export function rolloutView(
  row: RolloutRow,
  revision: RevisionRow,
  edges: readonly EdgeRow[],
  hearing: Hearing,
  limits: AccessLimits,
): RolloutView {
  const byId = new Map(edges.map((edge) => [edge.id, edge]))
  const skipped = new Set(row.skipped)
  return {
    ...rolloutHead(row, revision, limits),
    waiting: row.state === 'running' && !hearing.isDeaf ? waitingOf(row, hearing) : null,
    waves: row.waves.map((wave, index): WaveView => {
      const state = waveState(row, index)
      return { name: wave.name, state, edges: wave.edges.flatMap((id) => edgeOf(id, state)) }
    }),
  }

  function edgeOf(id: string, wave: WaveView['state']): WaveView['edges'] {
    const edge = byId.get(id)
    if (!edge) return []
    const { status } = statusOfRevision(revision, edge)
    const isSkipped = skipped.has(id) && status !== 'applied'
    return [
      { id, region: edge.region, status: wave === 'waiting' ? 'waiting' : isSkipped ? 'skipped' : status },
    ]
  }
}

/** Without the edges: in a large fleet, each row has many. */
export const rolloutSummary = (
  row: RolloutRow,
  revision: RevisionRow,
  limits: AccessLimits,
): RolloutSummary => ({
  ...rolloutHead(row, revision, limits),
  waves: row.waves.map(({ name, edges }, index) => ({
    name,
    state: waveState(row, index),
    edges: edges.length,
  })),
})

const rolloutHead = (row: RolloutRow, revision: RevisionRow, limits: AccessLimits) => ({
  revision: row.revision,
  layer: layerNameOf(revision.layerKind, revision.layerName),
  state: row.state,
  reason: row.reason,
  createdAt: row.createdAt.toISOString(),
  createdBy: row.createdBy,
  finishedAt: row.finishedAt?.toISOString() ?? null,
  undoneBy: row.undoneBy,
  settings: {
    ...row.settings,
    regions: row.settings.regions.filter((region) => allowsRegion(limits, region)),
  },
})

function waitingOf(row: RolloutRow, hearing: Hearing): NonNullable<RolloutView['waiting']> {
  const progress = {
    waveStartedAt: row.waveStartedAt.getTime(),
    settledAt: row.settledAt?.getTime(),
    settings: row.settings,
  }
  const { for: what, ms } = timeLeft(progress, hearing)
  return { for: what, secondsLeft: Math.ceil(ms / 1000) }
}

const waveState = ({ wave, state }: RolloutRow, index: number): WaveView['state'] =>
  index < wave || state === 'completed' ? 'done' : index === wave ? 'current' : 'waiting'
