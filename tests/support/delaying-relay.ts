/** A TCP relay that holds each byte for a time in each direction, like a distant server. Their order is kept. */
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

export class DelayingRelay {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(server: Server, target: number, delayMs: number) {
    this.#server = server
    server.on('connection', (near) => {
      const far = connect({ port: target, host: '127.0.0.1', noDelay: true })
      near.setNoDelay(true)
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(from)
        from.on('data', (bytes) => void setTimeout(() => to.write(bytes), delayMs))
        from.on('end', () => void setTimeout(() => to.end(), delayMs))
        from.on('error', () => to.destroy())
        from.on('close', () => {
          this.#sockets.delete(from)
          setTimeout(() => to.destroy(), delayMs)
        })
      }
    })
  }

  static async to(target: number, delayMs: number): Promise<DelayingRelay> {
    const server = createServer()
    const relay = new DelayingRelay(server, target, delayMs)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return relay
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
  }
}
