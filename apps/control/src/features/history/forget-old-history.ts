/** Retention: drops figures that have expired, a day or a month at a time. */
import { withLock } from '../../platform/db/lock.ts'
import { dropPartitions } from './partitions.ts'
import type { Deps } from '../../deps.ts'
import { keptSince } from './kept.ts'

export async function forgetOldHistory({ db, kept, log, now }: Deps): Promise<void> {
  await withLock(db, 'retention', async (tx) => {
    const dropped = await dropPartitions(tx, keptSince(kept, now()), now())
    if (dropped.length > 0) log.info('old history was deleted', { tables: dropped.join(' ') })
  })
}
