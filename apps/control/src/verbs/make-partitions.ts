/** Partitions of the coming days, made by whichever replica comes first. */
import { withLock } from '../db/lock.ts'
import { makePartitions as makeAhead } from '../db/partitions.ts'
import type { Deps } from '../deps.ts'

export async function makePartitions({ db, now }: Deps): Promise<void> {
  await withLock(db, 'partitions', async () => await makeAhead(db, now()))
}
