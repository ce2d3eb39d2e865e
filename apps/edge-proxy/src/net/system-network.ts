/** The network of the system. Accepted and dialed connections are transports over handles if Node allows this. */
import { lookup } from 'node:dns/promises'
import { createServer, type Server } from 'node:net'
import { getSystemErrorName } from 'node:util'
import type { ListenerConfig } from '@imapfleet/config'
import { overHandle } from './handle-transport.ts'
import { dialTcp } from './dial-tcp.ts'
import type { BoundPort, Network, OnConnection } from './network.ts'
import { overSocket } from './socket-transport.ts'
import { fileOf, handleOf } from './tcp-handle.ts'

export const systemNetwork: Network = { listen: listenTcp, dial: dialTcp, lookup }

function listenTcp(
  { address, port, backlog, keepAlive }: ListenerConfig,
  onConnection: OnConnection,
  onFailed: (error: unknown) => void,
  inherited?: number,
): Promise<BoundPort> {
  const options = { noDelay: true, keepAlive, allowHalfOpen: true }
  const server = createServer(options, (socket) =>
    onConnection(overSocket(socket), handleOf(socket)?.fd ?? -1),
  )
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    const place = inherited === undefined ? { host: address, port } : { fd: inherited }
    server.listen({ ...place, backlog }, () => {
      server.off('error', reject).on('error', onFailed)
      acceptHandles(server, keepAlive, onConnection, onFailed)
      resolve({ file: fileOf(server), close: () => void server.close() })
    })
  })
}

/** Takes accepted handles before Node creates sockets for them. */
function acceptHandles(
  server: Server,
  keepAlive: boolean,
  onConnection: OnConnection,
  onFailed: (error: unknown) => void,
): void {
  const listening = handleOf(server)
  if (!listening) return
  // Accepted connections inherit both options, which saves two system calls per connection.
  listening.setNoDelay(true)
  if (keepAlive) listening.setKeepAlive(true, 0)
  listening.onconnection = (error, handle) => {
    if (error === 0 && handle) onConnection(overHandle(handle), handle.fd)
    else onFailed({ code: getSystemErrorName(error) })
  }
}
