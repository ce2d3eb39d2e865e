/** Accepts connections within limits; TLS, PROXY header and session are the business of whoever it calls. */
import type { ListenerConfig } from '@imapfleet/config'
import { EdgeError } from '../errors.ts'
import type { OpenTransport } from './transport.ts'
import { listenTcp } from './listen-tcp.ts'

const remedies: Record<string, string> = {
  EADDRINUSE: 'the port is in use; stop the other program or choose another port',
  EACCES: 'ports below 1024 need root or CAP_NET_BIND_SERVICE',
  EADDRNOTAVAIL: 'this host has no such address',
}

export class Listener {
  readonly name: string
  readonly config: ListenerConfig
  readonly #onConnection: (open: OpenTransport) => void
  #stop: (() => void) | undefined

  constructor(name: string, config: ListenerConfig, onConnection: (open: OpenTransport) => void) {
    this.name = name
    this.config = config
    this.#onConnection = onConnection
  }

  /** Binds; throws `listen_failed` with what to do. */
  async listen(): Promise<void> {
    const { address, port } = this.config
    try {
      this.#stop = await listenTcp(this.config, this.#onConnection)
    } catch (error) {
      const { code = '', message } = error as NodeJS.ErrnoException
      throw new EdgeError(
        'listen_failed',
        `listeners.${this.name}: cannot listen on ${address} port ${port}: ${remedies[code] ?? message}`,
      )
    }
  }

  /** Takes no more connections; those that are there go on. */
  close(): void {
    this.#stop?.()
  }
}
