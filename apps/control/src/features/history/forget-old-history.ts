/** Retention: drops figures that have expired, a day or a month at a time. */
import type { Lease } from '../../platform/ticks/leases.ts'
import { dropPartitions } from './partitions.ts'
import type { Deps } from '../../deps.ts'
import { keptSince } from './kept.ts'

export async function forgetOldHistory({ kept, log, now }: Deps, lease: Lease): Promise<void> {
  await lease.begin(async (tx) => {
    const dropped = await dropPartitions(tx, keptSince(kept, now()), now())
    if (dropped.length > 0) log.info('old history was deleted', { tables: dropped.join(' ') })
  })
}
