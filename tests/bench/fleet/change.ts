/** Measures the time from a configuration change until control knows that every edge has applied it. */
import { revisionStatusSchema } from '@imapfleet/api'
import { desiredBucket, desiredKey, type EdgeAddress } from '@imapfleet/protocol'
import { publishAndRead } from './floor/publish-read.ts'
import type { BenchPlane } from './plane.ts'

export interface ChangeFigures {
  /** Milliseconds of each change, from the request to the last acknowledgement. */
  changes: number[]
  /** Milliseconds of each floor in between: an entry for each client, and one entry for all. */
  floorOfEach: number[]
  floorOfShared: number[]
  entryBytes: number
}

export async function measureChanges(
  plane: BenchPlane,
  clients: readonly EdgeAddress[],
  repeats: number,
): Promise<ChangeFigures> {
  const figures: ChangeFigures = { changes: [], floorOfEach: [], floorOfShared: [], entryBytes: 0 }
  // The first of each is a warm-up.
  for (let index = -1; index < repeats; index++) {
    const bytes = await entryBytesOf(plane, clients[0])
    const round = 2 * (index + 2)
    const floorOfEach = await publishAndRead(plane, { clients, round, isShared: false, bytes })
    const floorOfShared = await publishAndRead(plane, { clients, round: round + 1, isShared: true, bytes })
    const change = await changeOnce(plane, 60_000 + index + 1)
    if (index < 0) continue
    figures.floorOfEach.push(floorOfEach)
    figures.floorOfShared.push(floorOfShared)
    figures.changes.push(change)
    figures.entryBytes = bytes
  }
  return figures
}

export async function changeOnce(plane: BenchPlane, idleTimeoutMs: number): Promise<number> {
  const began = performance.now()
  const set = { 'pool.idleTimeoutMs': idleTimeoutMs }
  const answer = await plane.ask('/v1/config/revisions', { layer: { kind: 'global' }, set })
  const { revision } = revisionStatusSchema.parse(answer).revision
  await untilApplied(plane, revision)
  return performance.now() - began
}

async function untilApplied({ sql }: BenchPlane, revision: number): Promise<void> {
  for (;;) {
    const [row] = await sql`select count(*)::int as missing from edges where config_applied < ${revision}`
    if (row?.['missing'] === 0) return
    await sql`select pg_sleep(0.01)`
  }
}

async function entryBytesOf({ streams }: BenchPlane, address: EdgeAddress | undefined): Promise<number> {
  if (!address) return 0
  const last_by_subj = desiredBucket.subject + desiredKey(address)
  const entry = await streams.direct.getMessage(desiredBucket.stream, { last_by_subj })
  return entry?.data.length ?? 0
}
