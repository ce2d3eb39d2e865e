/** A TCP relay to another port that a test can cut and restore. */
import { connect, createServer, type Server } from 'node:net'
import { listenLocally, portOf, RelayedSockets } from './sockets.ts'

export class Relay {
  readonly #server: Server
  readonly #sockets = new RelayedSockets()
  #isCut = false

  private constructor(server: Server, target: number) {
    this.#server = server
    server.on('connection', (near) => {
      if (this.#isCut) return near.destroy()
      const far = connect(target, '127.0.0.1')
      near.pipe(far).pipe(near)
      this.#sockets.join(near, far)
    })
  }

  static async to(target: number): Promise<Relay> {
    const server = createServer()
    const relay = new Relay(server, target)
    await listenLocally(server)
    return relay
  }

  get port(): number {
    return portOf(this.#server)
  }

  /** Closes all connections and refuses new ones. */
  cut(): void {
    this.#isCut = true
    this.#sockets.destroyAll()
  }

  heal(): void {
    this.#isCut = false
  }

  close(): void {
    this.cut()
    this.#server.close()
  }
}
