/** How the work of one control process grows with the fleet: the same measurements at several sizes. */
import { setTimeout as sleep } from 'node:timers/promises'
import { untilHeardOf } from '../fleet/bench.ts'
import { changeOnce } from '../fleet/change.ts'
import { Herd } from '../fleet/herd/herd.ts'
import type { HerdPattern } from '../fleet/herd/messages.ts'
import { ingestOnce } from '../fleet/ingest.ts'
import { give } from '../fleet/order.ts'
import { startPlane, type BenchPlane } from '../fleet/plane.ts'
import { usageOf, type PlaneUsage } from '../fleet/usage.ts'
import { onInterrupt } from '../interrupt.ts'
import { describeMachine } from '../machine.ts'
import { writePart } from '../page.ts'
import { BenchError } from '../problem.ts'
import { scaleDocument } from './document.ts'
import type { ScaleOptions } from './options.ts'
import {
  measureLive,
  measureRequest,
  readAllEdges,
  readOverview,
  type LiveFigures,
  type RequestFigures,
} from './requests.ts'

/** Slower than the defaults of an edge, so that two cores bear 10,000 of them. The same at each size. */
const scalePattern: HerdPattern = {
  heartbeatMs: 20_000,
  reportMs: 60_000,
  reconcileMs: 180_000,
  edgesPerConnection: 20,
}
const regions = ['ap', 'eu', 'sa', 'us']
const herdProcesses = 2
/** Longer than any order takes, so that none is cut off. */
const orderMs = 20_000

export interface ScaleFigures {
  edges: number
  joinSeconds: number
  idle: PlaneUsage
  orders: number[]
  changes: number[]
  requests: Record<string, RequestFigures>
  live: LiveFigures
  reportsPerSecond: number
  edgeRowBytes: number
  reportRowBytes: number
  entryBytes: number
}

export async function benchScale(options: ScaleOptions): Promise<void> {
  const machine = describeMachine('apps/control', 'packages', 'tests/bench')
  const results: ScaleFigures[] = []
  let text = ''
  for (const edges of options.sizes) {
    results.push(await measureSize(edges, options))
    // After each size, because the largest may fail on a busy machine.
    text = scaleDocument(machine, results, options, scalePattern)
    console.log(`\n${text}`)
  }
  if (options.complete) writePart('scale', text)
  else console.log('\ndocs/sizing.md is written by a complete run only: npm run bench scale')
}

async function measureSize(edges: number, options: ScaleOptions): Promise<ScaleFigures> {
  const plane = await startPlane({ isOneProcess: true })
  const herd = new Herd(edges, regions, herdProcesses, scalePattern)
  const stop = async () => {
    await herd.leave()
    await plane.stop()
  }
  onInterrupt(stop)
  try {
    return await run(plane, herd, options)
  } finally {
    await stop()
  }
}

async function run(plane: BenchPlane, herd: Herd, options: ScaleOptions): Promise<ScaleFigures> {
  const edges = herd.addresses.length
  const step = (text: string) => console.log(`${edges} edges: ${text} ...`)
  step('join')
  const began = performance.now()
  await herd.join(plane.nats)
  await untilHeardOf(plane, edges)
  const joinSeconds = (performance.now() - began) / 1000
  step('idle')
  await sleep(scalePattern.heartbeatMs)
  const watch = usageOf(plane, herd)
  await sleep(options.idleSeconds * 1000)
  const idle = watch()
  step('orders')
  const orders: number[] = []
  for (let index = -1; index < options.orders; index++) {
    const { ms, missing } = await give(plane, orderMs)
    if (missing.length > 0)
      throw new BenchError(`${missing.length} of ${edges} edges did not answer an order`)
    if (index >= 0) orders.push(ms)
  }
  step('changes')
  const changes: number[] = []
  for (let index = -1; index < options.changes; index++) {
    const ms = await changeOnce(plane, 60_000 + index + 1)
    if (index >= 0) changes.push(ms)
  }
  step('requests')
  const length = (path: string) => async () => (await plane.read(path)).length
  const reads: [string, () => Promise<number>][] = [
    ['/v1/edges, all pages', readAllEdges(plane, edges)],
    ['/v1/edges?limit=100', length('/v1/edges?limit=100')],
    ['/v1/edges/{id}', length(`/v1/edges/${herd.addresses[0]?.edge}`)],
    ['/v1/metrics', length('/v1/metrics')],
    ['first answers of the overview', readOverview(plane, edges)],
    ['/v1/orders', length('/v1/orders')],
  ]
  const requests: Record<string, RequestFigures> = {}
  for (const [name, read] of reads) requests[name] = await measureRequest(options.requests, read)
  const live = await measureLive(plane, edges)
  step('reports')
  const ingest = await ingestOnce(plane, herd, Math.ceil(options.reports / edges))
  const [size] = await plane.sql`
    select pg_total_relation_size('edges')::float8 / (select count(*) from edges) as edge,
      (select sum(pg_total_relation_size(inhrelid))::float8 from pg_inherits where inhparent = 'reports'::regclass)
        / (select count(*) from reports) as report`
  const bucket = (await plane.streams.streams.info('KV_imapfleet_desired')).state
  return {
    ...{ edges, joinSeconds, idle, orders, changes, requests, live },
    reportsPerSecond: ingest.perSecond,
    edgeRowBytes: Number(size?.['edge']),
    reportRowBytes: Number(size?.['report']),
    entryBytes: bucket.bytes / bucket.messages,
  }
}
