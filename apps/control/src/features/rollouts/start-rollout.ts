/** Plans the waves of a revision and starts the first. Part of the transaction that writes the revision. */
import type { LayerName, RolloutSettings } from '@imapfleet/api'
import type { Queries } from '../../platform/db/database.ts'
import { selectEdges, type EdgeRow } from '../edges/queries.ts'
import type { RevisionRow } from '../config/queries.ts'
import { insertRollout } from './queries.ts'
import { appliesTo } from '../desired/service.ts'
import { ServiceError } from '../../platform/errors.ts'
import { planWaves, type Wave } from './waves.ts'

export async function startRollout(
  queries: Queries,
  { revision, layerKind, layerName, createdBy }: RevisionRow,
  settings: RolloutSettings,
  at: Date,
): Promise<void> {
  const layer = { kind: layerKind, name: layerName }
  const edges = await selectEdges(queries)
  const waves = wavesFor(layer, edges, settings)
  const first = new Set(waves[0]?.edges)
  await insertRollout(queries, {
    revision,
    settings,
    waves,
    waveStartedAt: at,
    skipped: edges.filter(({ id, silent }) => silent && first.has(id)).map(({ id }) => id),
    createdBy,
    createdAt: at,
  })
}

/** The waves of the edges that the layer applies to. */
export function wavesFor(
  layer: { kind: LayerName['kind']; name: string },
  all: readonly EdgeRow[],
  settings: RolloutSettings,
): Wave[] {
  const edges = all.filter(({ id, region }) => appliesTo(layer, { edge: id, region }))
  const unknown = settings.canaryEdges.find((id) => !edges.some((edge) => edge.id === id))
  if (unknown !== undefined)
    throw new ServiceError(
      'edge_unknown',
      `${unknown} cannot be a canary: the layer does not apply to it, or no edge has this name.`,
    )
  return planWaves(edges, settings)
}
