/** Measures the time of an order to all edges, from the request to the response with the results of all edges. */
import { orderViewSchema, type OrderView } from '@imapfleet/api'
import { BenchError } from '../problem.ts'
import { scatter } from './floor/scatter.ts'
import type { Herd } from './herd/herd.ts'
import type { BenchPlane } from './plane.ts'

export interface OrderFigures {
  /** Milliseconds of each order while all edges run. */
  allUp: number[]
  /** Milliseconds of each bare scatter-gather in between. */
  floor: number[]
  /** With edges that died just now and for which control still waits. */
  someDead: { ms: number; deadlineMs: number; named: string[] }
  /** Milliseconds of each order after the same edges count as silent. */
  someSilent: number[]
}

/** Longer than an order takes on a busy machine, so that no edge that runs is missing. */
const deadlineMs = 3_000
const patientMs = 15_000
const warmOrders = 10

export async function measureOrders(plane: BenchPlane, herd: Herd, orders: number): Promise<OrderFigures> {
  const size = herd.addresses.length
  const [all, floor] = await interleaved(orders, size, plane)
  for (const { missing } of all)
    if (missing.length > 0)
      throw new BenchError(`of ${size} edges ${missing.length} did not answer, such as ${missing[0]}`)

  const dead = [0.1, 0.5, 0.9].map((share) => herd.addresses[Math.floor(share * size)]?.edge ?? '')
  await herd.die(dead)
  const first = await give(plane, deadlineMs)
  await untilSilent(plane, dead.length)
  const later = await repeat(orders, () => give(plane))
  await herd.revive()
  for (const { missing } of [first, ...later])
    if (missing.toSorted().join() !== dead.toSorted().join())
      throw new BenchError(`${dead.join(', ')} were dead, the account names ${missing.join(', ')}`)
  return {
    allUp: all.map(({ ms }) => ms),
    floor,
    someDead: { ms: first.ms, deadlineMs, named: first.missing },
    someSilent: later.map(({ ms }) => ms),
  }
}

/** An order and a bare scatter-gather, in turn. */
async function interleaved(orders: number, size: number, plane: BenchPlane): Promise<[Given[], number[]]> {
  const given: Given[] = []
  const floor: number[] = []
  for (let index = -warmOrders; index < orders; index++) {
    const bare = await scatter(plane, size)
    const order = await give(plane)
    if (index < 0) continue
    floor.push(bare)
    given.push(order)
  }
  return [given, floor]
}

async function repeat<T>(times: number, act: () => Promise<T>): Promise<T[]> {
  const results: T[] = []
  while (results.length < times) results.push(await act())
  return results
}

interface Given {
  ms: number
  /** The edges that did not answer. */
  missing: string[]
}

export async function give(plane: BenchPlane, timeoutMs = patientMs): Promise<Given> {
  const began = performance.now()
  const answer = await plane.ask('/v1/orders', { action: { kind: 'version' }, timeoutMs })
  const ms = performance.now() - began
  const order: OrderView = orderViewSchema.parse(answer)
  return { ms, missing: order.edges.filter(({ status }) => status !== 'answered').map(({ id }) => id) }
}

/** Three heartbeats have been missed. */
async function untilSilent({ sql }: BenchPlane, count: number): Promise<void> {
  for (;;) {
    const [row] = await sql`
      select count(*)::int as silent from edges where last_seen_at < now() - heartbeat_ms * 3 * interval '1 ms'`
    if (row?.['silent'] >= count) return
    await sql`select pg_sleep(0.1)`
  }
}
