/** The local HTTP port: alive, ready, statistics as JSON and for Prometheus. */
import { createServer, type Server } from 'node:http'
import { bucketBound, metrics, parseSeriesKey, type MetricRow } from '@imapfleet/protocol'
import { EdgeError } from '../errors.ts'
import type { Snapshot } from './counters.ts'

export interface FleetHealth {
  connected: boolean
  /** Why not. */
  reason?: string | undefined
}

export interface HttpFacts {
  snapshot(): Snapshot
  /** Empty: ready. Otherwise what is missing, in words. */
  notReady(): string[]
  about(): Record<string, unknown>
  /** Undefined: this edge runs alone. Mail goes on without the fleet, so it is no matter of readiness. */
  fleet(): FleetHealth | undefined
}

export async function listenHttp(address: string, port: number, facts: HttpFacts): Promise<Server> {
  const server = createServer((request, response) => {
    const send = (status: number, type: string, body: string) => {
      response.writeHead(status, { 'content-type': type, 'x-content-type-options': 'nosniff' })
      response.end(request.method === 'HEAD' ? '' : body)
    }
    const json = (status: number, body: unknown) =>
      send(status, 'application/json', `${JSON.stringify(body)}\n`)
    if (request.method !== 'GET' && request.method !== 'HEAD') return json(405, { error: 'only GET' })
    switch (request.url?.split('?')[0]) {
      case '/healthz':
        return json(200, { status: 'alive', fleet: facts.fleet() })
      case '/readyz': {
        const missing = facts.notReady()
        return json(missing.length === 0 ? 200 : 503, { ready: missing.length === 0, missing })
      }
      case '/stats':
        return json(200, { ...facts.about(), fleet: facts.fleet(), ...facts.snapshot() })
      case '/metrics':
        return send(200, 'text/plain; version=0.0.4; charset=utf-8', printPrometheus(facts.snapshot()))
      default:
        return json(404, { error: 'try /healthz, /readyz, /stats or /metrics' })
    }
  })
  server.keepAliveTimeout = 5_000
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const reason =
        error.code === 'EADDRINUSE' ? 'the port is in use; set http.port to another' : error.message
      reject(new EdgeError('listen_failed', `http: cannot listen on ${address} port ${port}: ${reason}`))
    })
    server.listen(port, address, resolve)
  })
  return server
}

/** Bounds shown to Prometheus, in seconds: the fine buckets are summed into these. */
const shownBounds = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600,
]

function printPrometheus(snapshot: Snapshot): string {
  const lines: string[] = []
  const values = Object.entries({ ...snapshot.counters, ...snapshot.gauges })
  for (const [name, row] of Object.entries(metrics) as [string, MetricRow][]) {
    const shown = `imapfleet_${name}`
    const own = values.filter(([key]) => parseSeriesKey(key).name === name)
    const histogram = snapshot.histograms[name]
    if (own.length === 0 && !histogram) continue
    lines.push(`# HELP ${shown} ${row.help}`, `# TYPE ${shown} ${row.kind}`)
    for (const [key, value] of own) lines.push(`imapfleet_${key} ${value}`)
    if (!histogram) continue
    const buckets = Object.entries(histogram.counts).map(
      ([bucket, count]) => [bucketBound(Number(bucket)), count] as const,
    )
    const upTo = (bound: number) =>
      buckets.reduce((sum, [edge, count]) => (edge <= bound ? sum + count : sum), 0)
    for (const bound of shownBounds) lines.push(`${shown}_bucket{le="${bound}"} ${upTo(bound)}`)
    lines.push(
      `${shown}_bucket{le="+Inf"} ${upTo(Infinity)}`,
      `${shown}_sum ${histogram.sum}`,
      `${shown}_count ${upTo(Infinity)}`,
    )
  }
  return `${lines.join('\n')}\n`
}
