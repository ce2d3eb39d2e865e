/** Creates the partitions of the coming days. Any replica can do it. */
import { withLock } from '../../platform/db/lock.ts'
import { createPartitions } from './partitions.ts'
import type { Deps } from '../../deps.ts'

export async function makePartitions({ db, now }: Deps): Promise<void> {
  await withLock(db, 'partitions', async () => await createPartitions(db, now()))
}
