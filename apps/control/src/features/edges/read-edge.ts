/** One edge, even a forgotten one. */
import type { EdgeView } from '@imapfleet/api'
import { findEdge, type EdgeRow } from './queries.ts'
import { enrolledEdges } from '../enrolments/queries.ts'
import { listLayers } from '../config/queries.ts'
import { rollingRevision } from '../rollouts/queries.ts'
import { inSnapshot } from '../../platform/db/snapshot.ts'
import type { Queries } from '../../platform/db/database.ts'
import type { Deps } from '../../deps.ts'
import { ServiceError } from '../../platform/errors.ts'
import { edgeView } from './edge-view.ts'

export async function readEdge(deps: Deps, id: string): Promise<EdgeView> {
  return await inSnapshot(deps.db, async (queries) =>
    edgeView(
      await knownEdge(queries, id),
      await listLayers(queries),
      await rollingRevision(queries),
      await enrolledEdges(queries),
    ),
  )
}

export async function knownEdge(queries: Queries, id: string): Promise<EdgeRow> {
  const row = await findEdge(queries, id)
  if (row) return row
  throw new ServiceError(
    'edge_unknown',
    `No edge is named ${id.slice(0, 63)}: GET /v1/edges lists all edges.`,
  )
}
