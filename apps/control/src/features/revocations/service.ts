/**
 * Revocations make every edge stop reusing the server connections of a user or a domain. A silent edge does so when it
 * returns.
 */
import type { RevocationRecord, RevocationStatus } from '@imapfleet/api'
import type { Deps } from '../../deps.ts'
import type { Actor } from '../../platform/access.ts'
import type { Queries } from '../../platform/db/database.ts'
import { inSnapshot } from '../../platform/db/snapshot.ts'
import { pageOf } from '../../platform/db/page-of.ts'
import { ServiceError } from '../../platform/errors.ts'
import { writeAudit } from '../audit/service.ts'
import { changeFleet, distributeDesired, statusOfRevocation } from '../desired/service.ts'
import { selectEdges } from '../edges/queries.ts'
import { findRevocation, insertRevocation, selectRevocations, type RevocationRow } from './queries.ts'

export interface RevocationInput {
  kind: 'user' | 'domain'
  subject: string
  note: string
}

export async function addRevocation(
  deps: Deps,
  actor: Actor,
  { kind, note, ...input }: RevocationInput,
): Promise<RevocationStatus> {
  const subject = kind === 'domain' ? input.subject.replace(/^@/, '').toLowerCase() : input.subject
  const row = await changeFleet(deps.db, async (queries, version) => {
    const at = new Date(deps.now())
    const after = { sequence: version, note }
    await writeAudit(queries, { actor: actor.name, action: `revoke.${kind}`, target: subject, after })
    const by = { createdBy: actor.name }
    return await insertRevocation(queries, { sequence: version, kind, subject, at, note, ...by })
  })
  await distributeDesired(deps)
  return await statusOf(deps.db.orm, row)
}

/** Newest first. */
export async function listRevocations(
  { db }: Pick<Deps, 'db'>,
  page: { limit: number; before?: number | undefined },
): Promise<{ revocations: RevocationRecord[]; next: number | null }> {
  const { shown, next } = await pageOf(
    page,
    (asked) => selectRevocations(db.orm, asked),
    ({ sequence }) => sequence,
  )
  return { revocations: shown.map(recordOf), next }
}

/** One revocation, and its progress on each edge. */
export async function readRevocation({ db }: Pick<Deps, 'db'>, sequence: number): Promise<RevocationStatus> {
  return await inSnapshot(db, async (queries) => {
    const row = await findRevocation(queries, sequence)
    if (row) return await statusOf(queries, row)
    throw new ServiceError(
      'revocation_unknown',
      `No revocation has the sequence ${sequence}: GET /v1/revocations lists all revocations.`,
    )
  })
}

const recordOf = (row: RevocationRow): RevocationRecord => ({ ...row, at: row.at.toISOString() })

const statusOf = async (queries: Queries, row: RevocationRow): Promise<RevocationStatus> => ({
  revocation: recordOf(row),
  edges: (await selectEdges(queries)).map((edge) => ({
    id: edge.id,
    region: edge.region,
    status: statusOfRevocation(row.sequence, edge),
  })),
})
