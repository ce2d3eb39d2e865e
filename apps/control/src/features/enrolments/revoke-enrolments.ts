/** Revokes an edge's credentials. NATS closes its connection and refuses new ones. The edge continues to serve mail. */
import type { EnrolmentView } from '@imapfleet/api'
import { reasonOf } from '@imapfleet/observe'
import type { Actor } from '../../platform/access.ts'
import { writeAudit } from '../audit/audit.ts'
import { enrolmentsOf, markEnrolmentsRevoked } from './queries.ts'
import type { Deps } from '../../deps.ts'
import { ServiceError } from '../../platform/errors.ts'
import { enrolmentView } from './enrolment-view.ts'
import { enforceEnrolments } from './enforce-enrolments.ts'

/**
 * All credentials of the edge, or the one with this key. Credentials that are revoked already stay unchanged. While
 * NATS is down, the revocation is recorded, and enforced when NATS is back.
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
