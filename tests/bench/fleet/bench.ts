/** The fleet benchmark: starts the parts and the edges, measures, prints the tables, writes the document. */
import { setTimeout as sleep } from 'node:timers/promises'
import { onInterrupt } from '../interrupt.ts'
import { describeMachine } from '../machine.ts'
import { writePart } from '../page.ts'
import { BenchError } from '../problem.ts'
import { measureChanges } from './change.ts'
import { addFloorStreams } from './floor/streams.ts'
import { fleetDocument, type FleetResults } from './document.ts'
import { Herd } from './herd/herd.ts'
import { measureIngest } from './ingest.ts'
import type { FleetBenchOptions } from './options.ts'
import { measureOrders } from './order.ts'
import { startPlane, type BenchPlane } from './plane.ts'
import { usageOf } from './usage.ts'

const regions = ['ap', 'eu', 'sa', 'us']
const herdProcesses = 2
/** If other programs use more than this, the figures are not written. */
const othersCoresMax = 0.25

export async function benchFleet(options: FleetBenchOptions): Promise<void> {
  const machine = describeMachine('apps/control', 'packages', 'tests/bench')
  const plane = await startPlane()
  const herd = new Herd(options.edges, regions, herdProcesses)
  const stop = async () => {
    await herd.leave()
    await plane.stop()
  }
  onInterrupt(stop)
  try {
    const results = await run(plane, herd, options)
    const text = fleetDocument(machine, results, options)
    console.log(`\n${text}`)
    const others = Math.max(results.idle.othersCores, results.ingest.usage.othersCores)
    if (!options.complete)
      console.log('\ndocs/benchmarks.md is written by a complete run only: npm run bench fleet')
    else if (others > othersCoresMax)
      console.log(`\nnot written: other programs used ${Math.round(others * 100)} % of a core meanwhile`)
    else writePart('fleet', text)
  } finally {
    await stop()
  }
}

async function run(plane: BenchPlane, herd: Herd, options: FleetBenchOptions): Promise<FleetResults> {
  const step = (text: string) => console.log(`${text} ...`)
  await addFloorStreams(plane)
  step(`${options.edges} edges join`)
  await herd.join(plane.nats)
  await untilHeardOf(plane, options.edges)
  step('idle')
  const watch = usageOf(plane, herd)
  await sleep(options.idleSeconds * 1000)
  const idle = watch()
  step(`${options.orders} orders to all`)
  const orders = await measureOrders(plane, herd, options.orders, idle)
  step(`${options.changes} changes of the configuration`)
  const changes = await measureChanges(plane, herd.addresses, options.changes, idle)
  step(`${options.edges * options.reportsEach} reports`)
  const ingest = await measureIngest(plane, herd, {
    each: options.reportsEach,
    repeats: options.ingestRepeats,
  })
  return { idle, orders, changes, ingest }
}

const joinMs = 120_000

export async function untilHeardOf({ sql }: BenchPlane, count: number): Promise<void> {
  const end = performance.now() + joinMs
  for (;;) {
    const [row] = await sql`select count(*)::int as count from edges`
    if (row?.['count'] === count) return
    if (performance.now() > end)
      throw new BenchError(`control knows ${row?.['count']} of ${count} edges: see its log`)
    await sql`select pg_sleep(0.05)`
  }
}
