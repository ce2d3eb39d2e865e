/** Every edge that was ever heard of, by region and name. */
import type { EdgeView } from '@imapfleet/protocol'
import { listEdges as readEdges } from '../db/edges.ts'
import { enrolledEdges } from '../db/enrolments.ts'
import { listLayers } from '../db/revisions.ts'
import { rollingRevision } from '../db/rollouts.ts'
import type { Deps } from '../deps.ts'
import { edgeView } from '../views/edge-view.ts'

export async function listEdges({ db }: Deps): Promise<EdgeView[]> {
  const [layers, rolling, enrolled] = await Promise.all([
    listLayers(db.orm),
    rollingRevision(db.orm),
    enrolledEdges(db.orm),
  ])
  return (await readEdges(db.orm)).map((row) => edgeView(row, layers, rolling, enrolled))
}
