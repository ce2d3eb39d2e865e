/** Repairs the bucket after a crash between a commit and its entries, or after NATS lost its store. */
import { withLock } from '../../platform/db/lock.ts'
import type { Deps } from '../../deps.ts'
import { distributeDesired } from './distribute-desired.ts'

export async function reconcile(deps: Deps): Promise<void> {
  await withLock(deps.db, 'reconcile', async () => {
    await deps.bus.repair()
    await distributeDesired(deps)
  })
}
