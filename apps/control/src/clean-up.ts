/** Deletes expired rows. */
import { forgetOldAnswers } from './platform/http/idempotency-queries.ts'
import { forgetOldOperations } from './features/operations/queries.ts'
import { forgetOldOrders } from './features/orders/queries.ts'
import { forgetOldAlerting } from './features/alerts/service.ts'
import { forgetOldAccess } from './features/access/service.ts'
import { forgetOldLogins } from './features/people/cli-login.ts'
import { forgetOldRefusals } from './features/refusals/service.ts'
import type { Deps } from './deps.ts'
import type { Lease } from './platform/ticks/leases.ts'

/** Each deletion is complete in itself, so the lease is checked only once. */
export async function cleanUp(deps: Deps, lease: Lease): Promise<void> {
  await lease.check()
  await forgetOldAccess(deps)
  await forgetOldLogins(deps)
  await forgetOldOrders(deps.db.orm)
  await forgetOldOperations(deps.db.orm)
  await forgetOldRefusals(deps)
  await forgetOldAlerting(deps)
  await forgetOldAnswers(deps.db.orm)
}
