/** Credentials of edges for NATS: issued, revoked, and made known to NATS. */
import type { EnrolmentMade, EnrolmentRequest, EnrolmentView } from '@imapfleet/api'
import { reasonOf } from '@imapfleet/observe'
import type { Deps } from '../../deps.ts'
import type { Actor } from '../../platform/access.ts'
import { takeLock } from '../../platform/db/lock.ts'
import { withLease, type Lease } from '../../platform/ticks/leases.ts'
import { pageOf, type PageQuery } from '../../platform/db/page-of.ts'
import { ServiceError } from '../../platform/errors.ts'
import { writeAudit } from '../audit/service.ts'
import { enforceRevocations } from './enforce.ts'
import type { Issuer } from './issuer.ts'
import {
  enrolmentsOf,
  insertEnrolment,
  markEnrolmentsRevoked,
  noteEnforced,
  revokedEnrolments,
  selectEnrolments,
  type EnrolmentRow,
} from './queries.ts'

/** Longer than a lease: also if the replica that enforces hangs. */
const enforcementWaitMs = 12_000

export { enrolledEdges } from './queries.ts'

/**
 * Issues a credential. It is returned once and not stored. An edge can have several, so that a new one can be
 * installed before the old one is revoked.
 */
export async function enrollEdge(
  deps: Deps,
  actor: Actor,
  edge: string,
  { region, expiresInSeconds }: EnrolmentRequest,
): Promise<EnrolmentMade> {
  const issuer = issuerOf(deps)
  return await deps.db.orm.transaction(async (tx) => {
    // Not the lock of the enforcement, which is held while NATS is asked.
    await takeLock(tx, 'enrolling')
    const now = deps.now()
    const elsewhere = (await enrolmentsOf(tx, edge)).find(
      (row) => !row.revokedAt && !(row.expiresAt && row.expiresAt.getTime() <= now) && row.region !== region,
    )
    if (elsewhere)
      throw new ServiceError(
        'edge_enrolled',
        `${edge} is enrolled in the region ${elsewhere.region}: revoke that credential first, or use another name.`,
      )
    const createdAt = new Date(now)
    const expiresAt = expiresInSeconds === undefined ? undefined : new Date(now + expiresInSeconds * 1000)
    const { key, credentials } = await issuer.mint({ region, edge }, expiresAt)
    const row = await insertEnrolment(tx, {
      ...{ key, edge, region, createdAt },
      createdBy: actor.name,
      expiresAt: expiresAt ?? null,
    })
    await writeAudit(tx, {
      actor: actor.name,
      action: 'edge.enroll',
      target: `edge/${edge}`,
      after: { key, region, expiresAt: expiresAt?.toISOString() ?? null },
    })
    return { ...enrolmentView(row), credentials }
  })
}

/** Enrolments, newest first, including revoked ones. */
export async function listEnrolments(
  { db }: Deps,
  page: PageQuery<number> & { edge?: string | undefined },
): Promise<{ enrolments: EnrolmentView[]; next: number | null }> {
  const { shown, next } = await pageOf(
    page,
    (asked) => selectEnrolments(db.orm, asked),
    ({ number }) => number,
  )
  return { enrolments: shown.map(enrolmentView), next }
}

/**
 * Revokes all credentials of the edge, or the one with this key. NATS closes its connection and refuses new ones; the
 * edge continues to serve mail. Credentials that are revoked already stay unchanged. While NATS is down, the
 * revocation is recorded, and enforced when NATS is back.
 */
export async function revokeEnrolments(
  deps: Deps,
  actor: Actor,
  edge: string,
  key?: string,
): Promise<EnrolmentView[]> {
  const { orm } = deps.db
  await orm.transaction(async (tx) => {
    if ((await enrolmentsOf(tx, edge, key)).length === 0)
      throw new ServiceError(
        'enrolment_unknown',
        `${edge.slice(0, 63)} has no such credential: GET /v1/enrolments lists all credentials.`,
      )
    const revoked = await markEnrolmentsRevoked(tx, { edge, key, by: actor.name, at: new Date(deps.now()) })
    for (const row of revoked)
      await writeAudit(tx, {
        actor: actor.name,
        action: 'edge.revoke',
        target: `edge/${edge}`,
        before: { key: row.key, region: row.region },
      })
  })
  try {
    await withLease(deps, 'enrolments', async (lease) => await enforceEnrolments(deps, lease), {
      waitMs: enforcementWaitMs,
    })
  } catch (error) {
    deps.log.warn('a credential was revoked, but NATS has not received the revocation yet', {
      edge,
      reason: reasonOf(error),
    })
  }
  return (await enrolmentsOf(orm, edge, key)).filter((row) => row.revokedAt).map(enrolmentView)
}

/**
 * Sends the revoked credentials to NATS. Runs at each revocation and at intervals, because NATS may have been down or
 * set up again. Replicas run it one after the other, so none overwrites the account of another.
 */
export async function enforceEnrolments({ db, bus, issuer, now }: Deps, lease: Lease): Promise<void> {
  if (!issuer) return
  const at = new Date(now())
  const rows = await revokedEnrolments(db.orm)
  const revoked = new Map(rows.map((row) => [row.key, revokedUntil(row)]))
  await enforceRevocations(bus.options.access, issuer, revoked)
  // If the lease was lost meanwhile, this throws, and the timer soon enforces what this replica may have overwritten.
  await lease.transaction(async (tx) => await noteEnforced(tx, at, rows))
}

/**
 * NATS refuses a credential that was signed at or before this time, in whole seconds since 1970. It is later than the
 * signing even if both happened in one second, or the clock of the replica that revokes is behind.
 */
export const revokedUntil = (row: { createdAt: Date; revokedAt: Date | null }): number =>
  Math.ceil(Math.max(row.createdAt.getTime(), row.revokedAt?.getTime() ?? 0) / 1_000) + 1

function issuerOf({ issuer }: Deps): Issuer {
  if (issuer) return issuer
  throw new ServiceError(
    'enrolment_unavailable',
    'Control cannot sign credentials: set NATS_ISSUER_FILE to the issuer.json of imapfleet-control nats init.',
  )
}

/** Everything except the credential, which only the edge has. */
const enrolmentView = (row: EnrolmentRow): EnrolmentView => ({
  key: row.key,
  edge: row.edge,
  region: row.region,
  createdBy: row.createdBy,
  createdAt: row.createdAt.toISOString(),
  expiresAt: row.expiresAt?.toISOString() ?? null,
  revokedBy: row.revokedBy,
  revokedAt: row.revokedAt?.toISOString() ?? null,
  enforcedAt: row.enforcedAt?.toISOString() ?? null,
})
