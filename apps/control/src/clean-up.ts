/** Deletes expired rows. */
import { forgetOldAnswers } from './platform/http/idempotency-keys.ts'
import { withLock } from './platform/db/lock.ts'
import { forgetOldOrders } from './features/orders/queries.ts'
import { forgetOldAccess } from './features/access/service.ts'
import type { Deps } from './deps.ts'

export async function cleanUp(deps: Deps): Promise<void> {
  const { db } = deps
  await withLock(db, 'cleanUp', async () => {
    await forgetOldAccess(deps)
    await forgetOldOrders(db.orm)
    await forgetOldAnswers(db.orm)
  })
}
