/** Listens on one configured port, and reports each accepted connection as a transport: a handle if Node allows it. */
import { createServer, type Server } from 'node:net'
import type { ListenerConfig } from '@imapfleet/config'
import { listenFailed } from '../errors.ts'
import { overHandle } from './handle-transport.ts'
import type { OpenTransport } from './link.ts'
import { overSocket } from './socket-transport.ts'
import { handleOf } from './tcp-handle.ts'

export class Listener {
  readonly name: string
  readonly config: ListenerConfig
  readonly #onConnection: (open: OpenTransport) => void
  readonly #server: Server

  constructor(name: string, config: ListenerConfig, onConnection: (open: OpenTransport) => void) {
    this.name = name
    this.config = config
    this.#onConnection = onConnection
    const options = { noDelay: true, keepAlive: config.keepAlive, allowHalfOpen: true }
    this.#server = createServer(options, (socket) => onConnection(overSocket(socket)))
  }

  /** Binds the port. Throws `listen_failed`. */
  listen(): Promise<void> {
    const { address, port, backlog } = this.config
    return new Promise((resolve, reject) => {
      this.#server.once('error', (error) =>
        reject(listenFailed({ section: `listeners.${this.name}`, address, port }, error)),
      )
      this.#server.listen({ host: address, port, backlog }, () => {
        this.#acceptHandles()
        resolve()
      })
    })
  }

  /** Stops accepting connections. Open ones are not affected. */
  close(): void {
    this.#server.close()
  }

  /** Takes accepted handles before Node creates a socket for each. */
  #acceptHandles(): void {
    const listening = handleOf(this.#server)
    if (!listening) return
    // Accepted connections inherit both options, which saves two system calls per connection.
    listening.setNoDelay(true)
    if (this.config.keepAlive) listening.setKeepAlive(true, 0)
    listening.onconnection = (error, handle) => {
      if (error === 0 && handle) this.#onConnection(overHandle(handle))
    }
  }
}
