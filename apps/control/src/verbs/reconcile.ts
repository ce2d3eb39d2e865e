/** Puts right what a crash between a commit and its entries, or a NATS that lost its store, has left behind. */
import { withLock } from '../db/lock.ts'
import type { Deps } from '../deps.ts'
import { spreadDesired } from './spread-desired.ts'

export async function reconcile(deps: Deps): Promise<void> {
  await withLock(deps.db, 'reconcile', async () => {
    await deps.bus.repair()
    await spreadDesired(deps)
  })
}
