/** A revocation in the form of the API, and its progress on each edge. */
import type { RevocationRecord, RevocationStatus } from '@imapfleet/api'
import type { EdgeRow } from '../edges/queries.ts'
import { statusOfRevocation } from '../desired/service.ts'
import type { RevocationRow } from './queries.ts'

export const revocationRecord = (row: RevocationRow): RevocationRecord => ({
  ...row,
  at: row.at.toISOString(),
})

export const revocationStatus = (row: RevocationRow, edges: readonly EdgeRow[]): RevocationStatus => ({
  revocation: revocationRecord(row),
  edges: edges.map((edge) => ({
    id: edge.id,
    region: edge.region,
    status: statusOfRevocation(row.sequence, edge),
  })),
})
