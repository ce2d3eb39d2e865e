/** Accepts connections within limits; TLS, PROXY header and session are the business of whoever it calls. */
import { createServer, type Server, type Socket } from 'node:net'
import type { ListenerConfig } from '@imapfleet/config'
import { EdgeError } from '../errors.ts'

export class Listener {
  readonly name: string
  readonly config: ListenerConfig
  readonly #server: Server

  constructor(name: string, config: ListenerConfig, onSocket: (socket: Socket) => void) {
    this.name = name
    this.config = config
    this.#server = createServer({ noDelay: true, keepAlive: config.keepAlive, allowHalfOpen: true }, onSocket)
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
      this.#server.listen({ host: address, port, backlog }, () => resolve())
    })
  }

  /** Takes no more connections; those that are there go on. */
  close(): void {
    this.#server.close()
  }
}
