/** A configured port of the edge. It reports each accepted connection as a transport. */
import type { ListenerConfig } from '@imapfleet/config'
import { listenFailed } from '../errors.ts'
import type { ListeningSocket } from './inherited-sockets.ts'
import type { BoundPort, Network, OnConnection } from './network.ts'
import { systemNetwork } from './system-network.ts'

export class Listener {
  readonly name: string
  readonly config: ListenerConfig
  readonly #onConnection: OnConnection
  readonly #onFailed: (error: unknown) => void
  readonly #network: Network
  #port: BoundPort | undefined

  /** @param onFailed called when the system could not accept a client */
  constructor(
    name: string,
    config: ListenerConfig,
    onConnection: OnConnection,
    onFailed: (error: unknown) => void,
    network: Network = systemNetwork,
  ) {
    this.name = name
    this.config = config
    this.#onConnection = onConnection
    this.#onFailed = onFailed
    this.#network = network
  }

  /** The socket, for a handover to a new process. Undefined: its open file is unknown. */
  get socket(): ListeningSocket | undefined {
    const { address, port } = this.config
    const file = this.#port?.file
    return file === undefined ? undefined : { address, port, file }
  }

  /**
   * Binds the port. Throws `listen_failed`.
   * @param inherited the open file of a socket that listens there already
   */
  async listen(inherited?: number): Promise<void> {
    try {
      this.#port = await this.#network.listen(this.config, this.#onConnection, this.#onFailed, inherited)
    } catch (error) {
      const { address, port } = this.config
      throw listenFailed({ section: `listeners.${this.name}`, address, port }, error as Error)
    }
  }

  /** Stops accepting connections. Open ones are not affected. */
  close(): void {
    this.#port?.close()
  }
}
