/** Measures the time of an order to all edges, from the request to the response with the results of all edges. */
import { setTimeout as sleep } from 'node:timers/promises'
import { edgeSchema, orderViewSchema, type OrderView } from '@imapfleet/api'
import { BenchError } from '../problem.ts'
import { scatter } from './floor/scatter.ts'
import type { Herd } from './herd/herd.ts'
import { CpuMeter, type CpuPair } from './cpu-meter.ts'
import type { BenchPlane } from './plane.ts'
import type { PlaneUsage } from './usage.ts'

export interface OrderFigures {
  /** Milliseconds of each order while all edges run. */
  allUp: number[]
  /** Milliseconds of each bare scatter-gather in between. */
  floor: number[]
  /** Of an order, for each edge. */
  cpu: CpuPair
  /** With edges that have just died, and that control still waits for. */
  someDead: { ms: number; deadlineMs: number; named: string[] }
  /** Milliseconds of each order after the same edges count as silent. */
  someSilent: number[]
}

/** Longer than an order takes on a busy machine, so that no edge that runs is missing. */
const deadlineMs = 3_000
const patientMs = 15_000
const warmOrders = 10

export async function measureOrders(
  plane: BenchPlane,
  herd: Herd,
  orders: number,
  idle: PlaneUsage,
): Promise<OrderFigures> {
  const size = herd.addresses.length
  const meter = new CpuMeter(plane, ['api', 'nats', 'postgres', 'self'], idle)
  const [all, floor, cpu] = await interleaved(orders, size, plane, meter)
  for (const { missing } of all)
    if (missing.length > 0)
      throw new BenchError(`of ${size} edges ${missing.length} did not answer, such as ${missing[0]}`)

  const dead = [0.1, 0.5, 0.9].map((share) => herd.addresses[Math.floor(share * size)]?.edge ?? '')
  await herd.die(dead)
  const first = await give(plane, deadlineMs)
  await untilSilent(plane, dead)
  const later = await repeat(orders, () => give(plane))
  await herd.revive()
  for (const { missing } of [first, ...later])
    if (missing.toSorted().join() !== dead.toSorted().join())
      throw new BenchError(`${dead.join(', ')} were dead, the account names ${missing.join(', ')}`)
  return {
    allUp: all.map(({ ms }) => ms),
    floor,
    cpu,
    someDead: { ms: first.ms, deadlineMs, named: first.missing },
    someSilent: later.map(({ ms }) => ms),
  }
}

/** An order and a bare scatter-gather, in turn. */
async function interleaved(
  orders: number,
  size: number,
  plane: BenchPlane,
  meter: CpuMeter,
): Promise<[Given[], number[], CpuPair]> {
  const given: Given[] = []
  const floor: number[] = []
  const cpu = { own: 0, floor: 0 }
  for (let index = -warmOrders; index < orders; index++) {
    const bare = await meter.of(async () => await scatter(plane, size))
    const order = await meter.of(async () => await give(plane))
    if (index < 0) continue
    floor.push(bare.result)
    given.push(order.result)
    cpu.floor += bare.seconds / (orders * size)
    cpu.own += order.seconds / (orders * size)
  }
  return [given, floor, cpu]
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

/** Control itself must say so: it counts only the time in which it heard, which ends before the present moment. */
async function untilSilent(plane: BenchPlane, ids: string[]): Promise<void> {
  for (const id of ids)
    while (edgeSchema.parse(JSON.parse(await plane.read(`/v1/edges/${id}`))).state !== 'silent')
      await sleep(100)
}
