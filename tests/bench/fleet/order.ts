/** Measures the time of an order to all edges, from the request to the response with the results of all edges. */
import { orderViewSchema, type OrderView } from '@imapfleet/api'
import { BenchError } from '../problem.ts'
import type { Herd } from './herd/herd.ts'
import type { BenchPlane } from './plane.ts'

export interface OrderFigures {
  /** Milliseconds of each order while all edges run. */
  allUp: number[]
  /** With edges that died just now and for which control still waits. */
  someDead: { ms: number; deadlineMs: number; named: string[] }
  /** Milliseconds of each order after the same edges count as silent. */
  someSilent: number[]
}

const deadlineMs = 1_000
const warmOrders = 10

export async function measureOrders(plane: BenchPlane, herd: Herd, orders: number): Promise<OrderFigures> {
  const size = herd.addresses.length
  await repeat(warmOrders, () => give(plane))
  const all = await repeat(orders, () => give(plane))
  for (const { missing } of all)
    if (missing.length > 0) throw new BenchError(`of ${size} edges ${missing.join(', ')} did not answer`)

  const dead = [0.1, 0.5, 0.9].map((share) => herd.addresses[Math.floor(share * size)]?.edge ?? '')
  await herd.die(dead)
  const first = await give(plane)
  await untilSilent(plane, dead.length)
  const later = await repeat(orders, () => give(plane))
  await herd.revive()
  for (const { missing } of [first, ...later])
    if (missing.toSorted().join() !== dead.toSorted().join())
      throw new BenchError(`${dead.join(', ')} were dead, the account names ${missing.join(', ')}`)
  return {
    allUp: all.map(({ ms }) => ms),
    someDead: { ms: first.ms, deadlineMs, named: first.missing },
    someSilent: later.map(({ ms }) => ms),
  }
}

async function repeat<T>(times: number, act: () => Promise<T>): Promise<T[]> {
  const results: T[] = []
  while (results.length < times) results.push(await act())
  return results
}

/** `missing`: the edges that did not answer. */
async function give(plane: BenchPlane): Promise<{ ms: number; missing: string[] }> {
  const began = performance.now()
  const answer = await plane.ask('/v1/orders', { action: { kind: 'version' }, timeoutMs: deadlineMs })
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
