/** The local HTTP port: alive, ready, statistics as JSON and for Prometheus. */
import { createServer, type Server } from 'node:http'
import { edgeMetrics, printPrometheus, prometheusContentType, type MetricsSnapshot } from '@imapfleet/observe'
import { EdgeError } from '../errors.ts'

export interface FleetHealth {
  connected: boolean
  /** Why not. */
  reason?: string | undefined
}

export interface HttpFacts {
  snapshot(): MetricsSnapshot
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
        return send(200, prometheusContentType, printPrometheus(edgeMetrics, [facts.snapshot()]))
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
