/** Deletes expired rows. */
import { forgetOldAnswers } from './platform/http/idempotency-keys.ts'
import { withLock } from './platform/db/lock.ts'
import { forgetOldFailures } from './features/access/login-failures.ts'
import { forgetOldOrders } from './features/orders/queries.ts'
import { forgetOldSessions } from './features/access/sessions.ts'
import type { Deps } from './deps.ts'

export async function cleanUp({ db }: Deps): Promise<void> {
  await withLock(db, 'cleanUp', async () => {
    await forgetOldFailures(db.orm)
    await forgetOldOrders(db.orm)
    await forgetOldAnswers(db.orm)
    await forgetOldSessions(db.orm)
  })
}
