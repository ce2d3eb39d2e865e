/** Accepts connections within limits; TLS, PROXY header and session are the business of whoever it calls. */
import { createServer, type Server } from 'node:net'
import type { ListenerConfig } from '@imapfleet/config'
import { EdgeError } from '../errors.ts'
import type { OpenCarrier } from '../link/carrier.ts'
import { overHandle } from '../link/handle-carrier.ts'
import { overSocket } from '../link/socket-carrier.ts'
import { handleOf } from '../link/tcp-handle.ts'

export class Listener {
  readonly name: string
  readonly config: ListenerConfig
  readonly #server: Server
  readonly #onConnection: (open: OpenCarrier) => void

  constructor(name: string, config: ListenerConfig, onConnection: (open: OpenCarrier) => void) {
    this.name = name
    this.config = config
    this.#onConnection = onConnection
    const options = { noDelay: true, keepAlive: config.keepAlive, allowHalfOpen: true }
    this.#server = createServer(options, (socket) => onConnection(overSocket(socket)))
  }

  /** Binds; throws `listen_failed` with what to do. */
  listen(): Promise<void> {
    const { address, port, backlog } = this.config
    return new Promise((resolve, reject) => {
      this.#server.once('error', (error: NodeJS.ErrnoException) => {
        const reasons: Record<string, string> = {
          EADDRINUSE: 'the port is in use; stop the other program or choose another port',
          EACCES: 'ports below 1024 need root or CAP_NET_BIND_SERVICE',
          EADDRNOTAVAIL: 'this host has no such address',
        }
        const reason = reasons[error.code ?? ''] ?? error.message
        reject(
          new EdgeError(
            'listen_failed',
            `listeners.${this.name}: cannot listen on ${address} port ${port}: ${reason}`,
          ),
        )
      })
      this.#server.listen({ host: address, port, backlog }, () => {
        this.#acceptHandles()
        resolve()
      })
    })
  }

  /** Where Node lets us, connections are taken as handles, before a socket is made of each. */
  #acceptHandles(): void {
    const listening = handleOf(this.#server)
    if (!listening) return
    // Accepted connections inherit both, which saves a system call each.
    listening.setNoDelay(true)
    if (this.config.keepAlive) listening.setKeepAlive(true, 0)
    listening.onconnection = (error, handle) => {
      if (error === 0 && handle) this.#onConnection(overHandle(handle))
    }
  }

  /** Takes no more connections; those that are there go on. */
  close(): void {
    this.#server.close()
  }
}
