/** All edges of the fleet, by region and id. */
import type { EdgeView, LiveEdge } from '@imapfleet/api'
import { type CountingEdgeRow, listCountingEdges, selectEdges, pageOfEdges, type EdgeRow } from './queries.ts'
import { enrolledEdges } from '../enrolments/queries.ts'
import { listLayers } from '../config/queries.ts'
import { rollingRevision } from '../rollouts/queries.ts'
import type { Deps } from '../../deps.ts'
import { edgeView } from './edge-view.ts'
import { liveEdge } from './live-edge.ts'
import { pageOf } from '../../platform/db/page-of.ts'

export async function listEdges(deps: Deps): Promise<EdgeView[]> {
  return await viewsOf(deps, await selectEdges(deps.db.orm))
}

/** One page. `after` is the id of the last edge of the previous page. */
export async function listSomeEdges(
  deps: Deps,
  { limit, after }: { limit: number; after?: string | undefined },
): Promise<{ edges: EdgeView[]; next: string | null }> {
  const { shown, next } = await pageOf(
    { limit, before: after },
    (page) => pageOfEdges(deps.db.orm, page),
    ({ id }) => id,
  )
  return { edges: await viewsOf(deps, shown), next }
}

/** All edges with their present rates. */
export async function listLiveEdges(deps: Deps): Promise<LiveEdge[]> {
  return (await listCountingViews(deps)).map(({ row, view }) => liveEdge(row, view))
}

export async function listCountingViews(deps: Deps): Promise<{ row: CountingEdgeRow; view: EdgeView }[]> {
  const rows = await listCountingEdges(deps.db.orm)
  const views = await viewsOf(deps, rows)
  return rows.map((row, index) => ({ row, view: views[index]! }))
}

async function viewsOf({ db }: Deps, rows: readonly EdgeRow[]): Promise<EdgeView[]> {
  const [layers, rolling, enrolled] = await Promise.all([
    listLayers(db.orm),
    rollingRevision(db.orm),
    enrolledEdges(db.orm),
  ])
  return rows.map((row) => edgeView(row, layers, rolling, enrolled))
}
