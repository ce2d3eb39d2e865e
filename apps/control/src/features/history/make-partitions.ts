/** Creates the partitions of the coming days. Any replica can do it. */
import type { Lease } from '../../platform/ticks/leases.ts'
import { createPartitions } from './partitions.ts'
import type { Deps } from '../../deps.ts'

export async function makePartitions({ db, now }: Deps, lease: Lease): Promise<void> {
  await createPartitions(db, lease, now())
}
