/** Listens on one configured port, and reports each accepted connection as a transport: a handle if Node allows it. */
import { createServer, type Server } from 'node:net'
import { getSystemErrorName } from 'node:util'
import type { ListenerConfig } from '@imapfleet/config'
import { listenFailed } from '../errors.ts'
import { overHandle } from './handle-transport.ts'
import type { OpenTransport } from './link.ts'
import { overSocket } from './socket-transport.ts'
import { handleOf } from './tcp-handle.ts'

export class Listener {
  readonly name: string
  readonly config: ListenerConfig
  readonly #onConnection: (open: OpenTransport, file: number) => void
  readonly #onFailed: (error: unknown) => void
  readonly #server: Server

  /**
   * @param onConnection gets the number of the open file too; -1: unknown
   * @param onFailed called when the system could not accept a client
   */
  constructor(
    name: string,
    config: ListenerConfig,
    onConnection: (open: OpenTransport, file: number) => void,
    onFailed: (error: unknown) => void,
  ) {
    this.name = name
    this.config = config
    this.#onConnection = onConnection
    this.#onFailed = onFailed
    const options = { noDelay: true, keepAlive: config.keepAlive, allowHalfOpen: true }
    this.#server = createServer(options, (socket) =>
      onConnection(overSocket(socket), handleOf(socket)?.fd ?? -1),
    )
  }

  /** Binds the port. Throws `listen_failed`. */
  listen(): Promise<void> {
    const { address, port, backlog } = this.config
    return new Promise((resolve, reject) => {
      const onListenError = (error: Error) =>
        reject(listenFailed({ section: `listeners.${this.name}`, address, port }, error))
      this.#server.once('error', onListenError)
      this.#server.listen({ host: address, port, backlog }, () => {
        this.#server.off('error', onListenError).on('error', this.#onFailed)
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
      if (error === 0 && handle) this.#onConnection(overHandle(handle), handle.fd)
      else this.#onFailed({ code: getSystemErrorName(error) })
    }
  }
}
