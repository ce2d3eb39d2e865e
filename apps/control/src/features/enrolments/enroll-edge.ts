/** Issues a credential for an edge. It is returned once and not stored. */
import type { EnrolmentMade } from '@imapfleet/api'
import type { Actor } from '../../platform/access.ts'
import type { Issuer } from './issuer.ts'
import { writeAudit } from '../audit/audit.ts'
import { enrolmentsOf, insertEnrolment } from './queries.ts'
import { takeLock } from '../../platform/db/lock.ts'
import type { Deps } from '../../deps.ts'
import { ServiceError } from '../../platform/errors.ts'
import { enrolmentView } from './enrolment-view.ts'

/** An edge can have several, so that a new one can be installed before the old one is revoked. */
export async function enrollEdge(
  deps: Deps,
  actor: Actor,
  edge: string,
  region: string,
): Promise<EnrolmentMade> {
  const issuer = issuerOf(deps)
  return await deps.db.orm.transaction(async (tx) => {
    // Not the lock of the enforcement, which is held while NATS is asked.
    await takeLock(tx, 'enrolling')
    const elsewhere = (await enrolmentsOf(tx, edge)).find((row) => !row.revokedAt && row.region !== region)
    if (elsewhere)
      throw new ServiceError(
        'edge_enrolled',
        `${edge} is enrolled in the region ${elsewhere.region}: revoke that credential first, or use another name.`,
      )
    const { key, credentials } = await issuer.mint({ region, edge })
    const createdAt = new Date(deps.now())
    const row = await insertEnrolment(tx, { key, edge, region, createdBy: actor.name, createdAt })
    await writeAudit(tx, {
      actor: actor.name,
      action: 'edge.enroll',
      target: `edge/${edge}`,
      after: { key, region },
    })
    return { ...enrolmentView(row), credentials }
  })
}

function issuerOf({ issuer }: Deps): Issuer {
  if (issuer) return issuer
  throw new ServiceError(
    'enrolment_unavailable',
    'Control cannot sign credentials: set NATS_ISSUER_FILE to the issuer.json of imapfleet-control nats init.',
  )
}
