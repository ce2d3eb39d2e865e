/** Measures the time from a configuration change until control knows that every edge has applied it. */
import { setTimeout as sleep } from 'node:timers/promises'
import { revisionStatusSchema } from '@imapfleet/api'
import { desiredBucket, desiredKey, type EdgeAddress } from '@imapfleet/protocol'
import { publishAndRead } from './floor/publish-read.ts'
import { CpuMeter, type CpuPair } from './cpu-meter.ts'
import type { BenchPlane } from './plane.ts'
import type { PlaneUsage } from './usage.ts'

export interface ChangeFigures {
  /** Milliseconds of each change, from the request to the last acknowledgement. */
  changes: number[]
  /** Milliseconds of each floor in between: an entry for each client, and one entry for all. */
  floorOfEach: number[]
  floorOfShared: number[]
  entryBytes: number
  /** Of a change, for each edge. */
  cpu: CpuPair
}

export async function measureChanges(
  plane: BenchPlane,
  clients: readonly EdgeAddress[],
  repeats: number,
  idle: PlaneUsage,
): Promise<ChangeFigures> {
  const figures: ChangeFigures = {
    changes: [],
    floorOfEach: [],
    floorOfShared: [],
    entryBytes: 0,
    cpu: { own: 0, floor: 0 },
  }
  const meter = new CpuMeter(plane, ['api', 'ingest', 'nats', 'postgres', 'self'], idle)
  const share = 1 / (repeats * clients.length)
  // The first of each is a warm-up.
  for (let index = -1; index < repeats; index++) {
    const bytes = await entryBytesOf(plane, clients[0])
    const round = 2 * (index + 2)
    const floor = await meter.of(
      async () => await publishAndRead(plane, { clients, round, isShared: false, bytes }),
    )
    const floorOfShared = await publishAndRead(plane, { clients, round: round + 1, isShared: true, bytes })
    const change = await meter.of(async () => await changeOnce(plane, 60_000 + index + 1))
    if (index < 0) continue
    figures.floorOfEach.push(floor.result)
    figures.floorOfShared.push(floorOfShared)
    figures.changes.push(change.result)
    figures.cpu.own += change.seconds * share
    figures.cpu.floor += floor.seconds * share
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
    const began = performance.now()
    const [row] = await sql`select exists (select from edges where config_applied < ${revision}) as missing`
    if (row?.['missing'] === false) return
    // The questions must not become a part of what is measured.
    await sleep(Math.max(10, 4 * (performance.now() - began)))
  }
}

async function entryBytesOf({ streams }: BenchPlane, address: EdgeAddress | undefined): Promise<number> {
  if (!address) return 0
  const last_by_subj = desiredBucket.subject + desiredKey(address)
  const entry = await streams.direct.getMessage(desiredBucket.stream, { last_by_subj })
  return entry?.data.length ?? 0
}
