/** What was changed, newest first. */
import type { RevisionView } from '@imapfleet/protocol'
import { listRevisions as readRevisions } from '../db/revisions.ts'
import type { Deps } from '../deps.ts'
import { revisionView } from '../views/revision-view.ts'

export async function listRevisions(
  { db }: Deps,
  page: { limit: number; before?: number | undefined },
): Promise<RevisionView[]> {
  return (await readRevisions(db.orm, page)).map(revisionView)
}
