/**
 * Sends the revoked credentials to NATS. Runs at each revocation and at intervals, because NATS may have been down or
 * set up again. Replicas run it one after the other, so none overwrites the account of another.
 */
import { enforceRevocations } from './enforce.ts'
import { noteEnforced, revokedEnrolments } from './queries.ts'
import { takeLock } from '../../platform/db/lock.ts'
import type { Deps } from '../../deps.ts'

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

/** Seconds since 1970, later than the signing, even if the clock of the replica that revokes is behind. */
const revokedUntil = (row: { createdAt: Date; revokedAt: Date | null }): number =>
  Math.ceil(Math.max(row.createdAt.getTime(), row.revokedAt?.getTime() ?? 0) / 1_000) + 1
