/** One edge, even a forgotten one. */
import type { EdgeView } from '@imapfleet/api'
import { findEdge, type EdgeRow } from './queries.ts'
import { enrolledEdges } from '../enrolments/queries.ts'
import { listLayers } from '../config/queries.ts'
import { rollingRevision } from '../rollouts/queries.ts'
import type { Deps } from '../../deps.ts'
import { ServiceError } from '../../platform/errors.ts'
import { edgeView } from './edge-view.ts'

export async function readEdge(deps: Deps, id: string): Promise<EdgeView> {
  const row = await knownEdge(deps, id)
  const { orm } = deps.db
  return edgeView(row, await listLayers(orm), await rollingRevision(orm), await enrolledEdges(orm))
}

export async function knownEdge({ db }: Deps, id: string): Promise<EdgeRow> {
  const row = await findEdge(db.orm, id)
  if (row) return row
  throw new ServiceError(
    'edge_unknown',
    `No edge is named ${id.slice(0, 63)}: GET /v1/edges lists all edges.`,
  )
}
