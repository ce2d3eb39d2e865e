/** A rollout in the form of the API: by wave and by edge. */
import type { RolloutView } from '@imapfleet/api'
import type { EdgeRow } from '../edges/queries.ts'
import type { RevisionRow } from '../config/queries.ts'
import type { RolloutRow } from './queries.ts'
import { layerNameOf } from '../config/revision-view.ts'
import { statusOfRevision } from '../desired/service.ts'

type WaveView = RolloutView['waves'][number]

export function rolloutView(row: RolloutRow, revision: RevisionRow, edges: readonly EdgeRow[]): RolloutView {
  const byId = new Map(edges.map((edge) => [edge.id, edge]))
  const skipped = new Set(row.skipped)
  return {
    revision: row.revision,
    layer: layerNameOf(revision.layerKind, revision.layerName),
    state: row.state,
    reason: row.reason,
    createdAt: row.createdAt.toISOString(),
    createdBy: row.createdBy,
    finishedAt: row.finishedAt?.toISOString() ?? null,
    undoneBy: row.undoneBy,
    settings: row.settings,
    waves: row.waves.map((wave, index): WaveView => {
      const isDone = index < row.wave || row.state === 'completed'
      const state = isDone ? 'done' : index === row.wave ? 'current' : 'waiting'
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
