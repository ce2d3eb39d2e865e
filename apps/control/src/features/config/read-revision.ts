/** One revision and its progress. */
import type { RevisionStatus } from '@imapfleet/api'
import { selectEdges } from '../edges/queries.ts'
import { findRevision } from './queries.ts'
import type { Deps } from '../../deps.ts'
import { ServiceError } from '../../platform/errors.ts'
import { revisionStatus, revisionView } from './revision-view.ts'

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
