/**
 * Has NATS know which credentials are revoked. Done at each revocation, and now and then, since NATS may have been away
 * or may have been set up anew. Replicas do it one after the other: none overwrites what another has just told.
 */
import { enforceRevocations } from '../bus/credentials/enforce.ts'
import { noteEnforced, revokedEnrolments } from '../db/enrolments.ts'
import { takeLock } from '../db/lock.ts'
import type { Deps } from '../deps.ts'

export async function enforceEnrolments({ db, bus, issuer, now }: Deps): Promise<void> {
  if (!issuer) return
  await db.orm.transaction(async (tx) => {
    await takeLock(tx, 'enrolments')
    const rows = await revokedEnrolments(tx)
    const revoked = new Map(rows.map((row) => [row.key, revokedUntil(row)]))
    await enforceRevocations(bus.options.access, issuer, revoked)
    await noteEnforced(tx, new Date(now()))
  })
}

/** Beyond the moment at which it was signed, whichever of two replicas has the clock that is behind. */
const revokedUntil = (row: { createdAt: Date; revokedAt: Date | null }): number =>
  Math.ceil(Math.max(row.createdAt.getTime(), row.revokedAt?.getTime() ?? 0) / 1_000) + 1
