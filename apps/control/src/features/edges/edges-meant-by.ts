/** The edges that a target names. */
import type { FleetTarget } from '@imapfleet/api'
import { selectEdges, type EdgeRow } from './queries.ts'
import type { Deps } from '../../deps.ts'
import { ServiceError } from '../../platform/errors.ts'

/** Throws `edge_unknown` if the region or the edge does not exist. All edges of an empty fleet is valid. */
export async function edgesMeantBy({ db }: Deps, target: FleetTarget): Promise<EdgeRow[]> {
  const edges = (await selectEdges(db.orm)).filter(
    (row) => target.kind === 'all' || target.name === (target.kind === 'region' ? row.region : row.id),
  )
  if (edges.length > 0 || target.kind === 'all') return edges
  const what = target.kind === 'region' ? `edge in the region ${target.name}` : `edge named ${target.name}`
  throw new ServiceError(
    'edge_unknown',
    `No ${what} exists, or it was forgotten: GET /v1/edges lists all edges.`,
  )
}
