/** Repairs the bucket after a crash between a commit and its entries, or after NATS lost its store. */
import type { Lease } from '../../platform/ticks/leases.ts'
import type { Deps } from '../../deps.ts'
import { distributeDesired } from './distribute-desired.ts'

export async function reconcile(deps: Deps, lease: Lease): Promise<void> {
  await deps.bus.repair()
  // Entries have versions, so even a replica that hangs after this check overwrites no newer one.
  await lease.check()
  await distributeDesired(deps)
}
