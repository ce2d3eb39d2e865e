/** Accepts TCP connections as handles where Node lets us, before a socket is made of each. */
import { createServer } from 'node:net'
import type { OpenTransport } from './transport.ts'
import { overHandle } from './handle-transport.ts'
import { overSocket } from './socket-transport.ts'
import { handleOf } from './tcp-handle.ts'

export interface TcpPlace {
  address: string
  port: number
  backlog: number
  keepAlive: boolean
}

/** Settles with what takes no more connections; those that are there go on. Rejects with the system's error. */
export function listenTcp(place: TcpPlace, onConnection: (open: OpenTransport) => void): Promise<() => void> {
  const { address, port, backlog, keepAlive } = place
  const server = createServer({ noDelay: true, keepAlive, allowHalfOpen: true }, (socket) =>
    onConnection(overSocket(socket)),
  )
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host: address, port, backlog }, () => {
      const listening = handleOf(server)
      if (listening) {
        // Accepted connections inherit both, which saves a system call each.
        listening.setNoDelay(true)
        if (keepAlive) listening.setKeepAlive(true, 0)
        listening.onconnection = (error, handle) => {
          if (error === 0 && handle) onConnection(overHandle(handle))
        }
      }
      resolve(() => server.close())
    })
  })
}
