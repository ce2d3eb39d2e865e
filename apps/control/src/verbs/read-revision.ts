/** One revision and its progress. */
import type { RevisionStatus } from '@imapfleet/protocol'
import { selectEdges } from '../db/edges.ts'
import { findRevision } from '../db/revisions.ts'
import type { Deps } from '../deps.ts'
import { ServiceError } from '../errors.ts'
import { revisionStatus, revisionView } from '../views/revision-view.ts'

export async function readRevision({ db }: Deps, revision: number): Promise<RevisionStatus> {
  const row = await findRevision(db.orm, revision)
  if (!row) throw unknownRevision(revision)
  return revisionStatus(revisionView(row), await selectEdges(db.orm))
}

export const unknownRevision = (revision: number): ServiceError =>
  new ServiceError(
    'revision_unknown',
    `No revision has the number ${revision}: GET /v1/config/revisions lists all revisions.`,
  )
