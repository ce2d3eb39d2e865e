/** Deletes expired rows. */
import { forgetOldAnswers } from '../db/idempotency.ts'
import { withLock } from '../db/lock.ts'
import { forgetOldFailures } from '../db/login-failures.ts'
import { forgetOldOrders } from '../db/orders.ts'
import { forgetOldSessions } from '../db/sessions.ts'
import type { Deps } from '../deps.ts'

export async function cleanUp({ db }: Deps): Promise<void> {
  await withLock(db, 'cleanUp', async () => {
    await forgetOldFailures(db.orm)
    await forgetOldOrders(db.orm)
    await forgetOldAnswers(db.orm)
    await forgetOldSessions(db.orm)
  })
}
