/** The sockets of a relay for tests: both ends of each of its connections. */
import { once } from 'node:events'
import type { AddressInfo, Server, Socket } from 'node:net'

/** Listens on a free port of this machine. */
export async function listenLocally(server: Server): Promise<void> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
}

export const portOf = (server: Server): number => (server.address() as AddressInfo).port

export class RelayedSockets {
  readonly #open = new Set<Socket>()

  /** When one end closes or fails, the other one is destroyed, after `delayMs` if it has only closed. */
  join(near: Socket, far: Socket, delayMs?: number): void {
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#open.add(socket)
      socket.on('error', () => other.destroy())
      socket.on('close', () => {
        this.#open.delete(socket)
        if (delayMs === undefined) other.destroy()
        else setTimeout(() => other.destroy(), delayMs)
      })
    }
  }

  destroyAll(): void {
    for (const socket of this.#open) socket.destroy()
  }
}
