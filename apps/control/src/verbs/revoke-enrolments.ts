/** Ends an edge's credentials: its connection to NATS is closed and it gets no other. It goes on serving mail. */
import type { EnrolmentView } from '@imapfleet/protocol'
import { reasonOf } from '@imapfleet/observe'
import type { Actor } from '../access.ts'
import { writeAudit } from '../db/audit.ts'
import { enrolmentsOf, markEnrolmentsRevoked } from '../db/enrolments.ts'
import type { Deps } from '../deps.ts'
import { ServiceError } from '../errors.ts'
import { enrolmentView } from '../views/enrolment-view.ts'
import { enforceEnrolments } from './enforce-enrolments.ts'

/**
 * All of the edge, or the one with this key. What is revoked already stays as it is. While NATS is away it is on record,
 * and enforced as soon as NATS is back.
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
  await enforceEnrolments(deps).catch((error: unknown) =>
    deps.log.warn('a credential was revoked, but NATS has not been told yet', {
      edge,
      reason: reasonOf(error),
    }),
  )
  return (await enrolmentsOf(orm, edge, key)).filter((row) => row.revokedAt).map(enrolmentView)
}
