/** Measures the time from a configuration change until control knows that every edge has applied it. */
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
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

/** The answer has all edges. To check each of them would take time from what is measured. */
const revisionOnly = z.object({ revision: z.object({ revision: z.int() }) })

export async function changeOnce(plane: BenchPlane, idleTimeoutMs: number): Promise<number> {
  const began = performance.now()
  const set = { 'pool.idleTimeoutMs': idleTimeoutMs }
  const answer = await plane.ask('/v1/config/revisions', { layer: { kind: 'global' }, set })
  const { revision } = revisionOnly.parse(answer).revision
  await untilApplied(plane, revision)
  return performance.now() - began
}

/**
 * Reads all edges only after the last missing ones have applied the change, so that these requests do not affect the
 * measurement.
 */
async function untilApplied({ sql }: BenchPlane, revision: number): Promise<void> {
  const isMissing = sql`config_applied < ${revision}`
  let missing: string[] = []
  for (;;) {
    const few = missing.length > 0 ? sql`and id = any(${missing}::text[])` : sql``
    const rows = await sql<
      { id: string }[]
    >`select id from edges where ${isMissing} ${few} limit ${missingMax}`
    if (rows.length === 0 && missing.length === 0) return
    missing = rows.map(({ id }) => id)
    if (missing.length > 0) await sleep(10)
  }
}
const missingMax = 20

async function entryBytesOf({ streams }: BenchPlane, address: EdgeAddress | undefined): Promise<number> {
  if (!address) return 0
  const last_by_subj = desiredBucket.subject + desiredKey(address)
  const entry = await streams.direct.getMessage(desiredBucket.stream, { last_by_subj })
  return entry?.data.length ?? 0
}
