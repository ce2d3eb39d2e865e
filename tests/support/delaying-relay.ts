/** A TCP relay that holds each byte for a time in each direction, like a distant server. Their order is kept. */
import { connect, createServer, type Server } from 'node:net'
import { listenLocally, portOf, RelayedSockets } from './sockets.ts'

export class DelayingRelay {
  readonly #server: Server
  readonly #sockets = new RelayedSockets()

  private constructor(server: Server, target: number, delayMs: number) {
    this.#server = server
    server.on('connection', (near) => {
      const far = connect({ port: target, host: '127.0.0.1', noDelay: true })
      near.setNoDelay(true)
      this.#sockets.join(near, far, delayMs)
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        from.on('data', (bytes) => void setTimeout(() => to.write(bytes), delayMs))
        from.on('end', () => void setTimeout(() => to.end(), delayMs))
      }
    })
  }

  static async to(target: number, delayMs: number): Promise<DelayingRelay> {
    const server = createServer()
    const relay = new DelayingRelay(server, target, delayMs)
    await listenLocally(server)
    return relay
  }

  get port(): number {
    return portOf(this.#server)
  }

  close(): void {
    this.#sockets.destroyAll()
    this.#server.close()
  }
}
