/** Node's HTTP server around a fetch handler: limits, and a stop that waits for answers for a limited time. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createAdaptorServer } from '@hono/node-server'

export interface Listening {
  port: number
  /** Answers the requests in progress, then closes. */
  stop: () => Promise<void>
}

const graceMs = 3_000

/** Rejects with one sentence if the address cannot be used. */
export async function serveHttp(
  fetch: (request: Request) => Response | Promise<Response>,
  host: string,
  port: number,
): Promise<Listening> {
  const server = createAdaptorServer({
    fetch,
    createServer,
    // The cleanup of the library would close the connection 500 ms after the answer.
    autoCleanupIncoming: false,
    serverOptions: { requestTimeout: 60_000, headersTimeout: 15_000, maxHeaderSize: 16_384 },
  }) as Server
  server.on('request', discardUnread)
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(new Error(sentenceOf(error, host, port))))
    server.listen(port, host, resolve)
  })
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeIdleConnections()
      const grace = setTimeout(() => server.closeAllConnections(), graceMs)
      await closed
      clearTimeout(grace)
    },
  }
}

/**
 * A request can be refused before its body has arrived. The rest is read and discarded, for as long as `requestTimeout` allows: a
 * connection that is closed with unread data is reset, and its client may get an error instead of the answer.
 */
function discardUnread(incoming: IncomingMessage, outgoing: ServerResponse): void {
  // Node does the same if the body was not touched. A web stream that was made of the body would pause it at each chunk.
  outgoing.once('finish', () => {
    if (!incoming.complete) incoming.removeAllListeners('data').resume()
  })
}

function sentenceOf(error: NodeJS.ErrnoException, host: string, port: number): string {
  if (error.code === 'EADDRINUSE')
    return `port ${port} on ${host} is in use: stop the process that uses it, or choose another port with --port`
  if (error.code === 'EACCES') return `port ${port} needs privileges: choose a port above 1023 with --port`
  if (error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND')
    return `${host} is not an address of this machine: choose another with --host`
  return `cannot listen on ${host}:${port}: ${error.message}`
}
