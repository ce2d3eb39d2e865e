/** An enrolment in the form of the API: everything except the credential, which only the edge has. */
import type { EnrolmentView } from '@imapfleet/api'
import type { EnrolmentRow } from './queries.ts'

export const enrolmentView = (row: EnrolmentRow): EnrolmentView => ({
  key: row.key,
  edge: row.edge,
  region: row.region,
  createdBy: row.createdBy,
  createdAt: row.createdAt.toISOString(),
  revokedBy: row.revokedBy,
  revokedAt: row.revokedAt?.toISOString() ?? null,
  enforcedAt: row.enforcedAt?.toISOString() ?? null,
})
