/** The local HTTP port: liveness, readiness, statistics as JSON, and metrics for Prometheus. */
import { createServer, type Server } from 'node:http'
import { edgeMetrics, printPrometheus, prometheusContentType } from '@imapfleet/observe'
import type { EdgeStats } from '@imapfleet/protocol'
import { listenFailed } from '../errors.ts'
import { missingForReady } from './readiness.ts'

/** @param file open file of a socket that already listens on this port */
export async function listenHttp(
  { address, port }: { address: string; port: number },
  read: () => EdgeStats,
  file?: number,
): Promise<Server> {
  const server = createServer((request, response) => {
    const send = (status: number, type: string, body: string) => {
      response.writeHead(status, { 'content-type': type, 'x-content-type-options': 'nosniff' })
      response.end(request.method === 'HEAD' ? '' : body)
    }
    const json = (status: number, body: unknown) =>
      send(status, 'application/json', `${JSON.stringify(body)}\n`)
    if (request.method !== 'GET' && request.method !== 'HEAD') return json(405, { error: 'only GET' })
    switch (request.url?.split('?')[0]) {
      case '/healthz': {
        // An edge with problems is alive too, because a restart would not help.
        const { fleet, problems = [] } = read()
        return json(200, { status: problems.length === 0 ? 'alive' : 'degraded', problems, fleet })
      }
      case '/readyz': {
        const missing = missingForReady(read())
        return json(missing.length === 0 ? 200 : 503, { ready: missing.length === 0, missing })
      }
      case '/stats':
        return json(200, read())
      case '/metrics':
        return send(200, prometheusContentType, printPrometheus(edgeMetrics, [read()]))
      default:
        return json(404, { error: 'try /healthz, /readyz, /stats or /metrics' })
    }
  })
  server.keepAliveTimeout = 5_000
  await new Promise<void>((resolve, reject) => {
    // Errors after the start mean that no open file was left for a client. The listeners for mail report this.
    server.on('error', (error) => reject(listenFailed({ section: 'http', address, port }, error)))
    if (file === undefined) server.listen(port, address, resolve)
    else server.listen({ fd: file }, resolve)
  })
  return server
}
