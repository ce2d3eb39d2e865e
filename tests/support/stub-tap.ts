/**
 * A recording relay in front of a real server. It keeps every byte that the proxy sent, and can count or break the
 * connections, so that scenarios can check real Dovecot as they check the stub.
 */
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { Signal } from './stub-signal.ts'

export class TapConnection {
  readonly number: number
  readonly #near: Socket
  readonly #far: Socket
  readonly #all: Buffer[] = []
  #open = true

  constructor(number: number, near: Socket, far: Socket, signal: Signal) {
    this.number = number
    this.#near = near
    this.#far = far
    for (const socket of [near, far]) {
      socket.setNoDelay(true)
      socket.on('error', () => this.destroy())
    }
    near.on('data', (chunk: Buffer) => {
      this.#all.push(chunk)
      signal.changed()
    })
    near.pipe(far).pipe(near)
    near.on('close', () => {
      this.#open = false
      far.destroy()
      signal.changed()
    })
    far.on('close', () => near.destroy())
  }

  get open(): boolean {
    return this.#open
  }
  get received(): string {
    return Buffer.concat(this.#all).toString('latin1')
  }
  /** Sends bytes that the server did not send. */
  send(text: string): void {
    this.#near.write(Buffer.from(text, 'latin1'))
  }
  destroy(): void {
    if (this.#near.readyState === 'open') this.#near.resetAndDestroy()
    else this.#near.destroy()
    this.#far.destroy()
  }
}

export class StubTap {
  readonly signal = new Signal()
  readonly connections: TapConnection[] = []
  readonly port: number
  readonly #server: Server
  #count = 0

  constructor(port: number, serverPort: number) {
    this.port = port
    this.#server = createServer((near) => {
      const far = connect(serverPort, '127.0.0.1')
      this.#count += 1
      this.connections.push(new TapConnection(this.#count, near, far, this.signal))
      this.signal.changed()
    })
  }

  async listen(): Promise<void> {
    this.#server.listen(this.port, '127.0.0.1')
    await once(this.#server, 'listening')
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    for (const connection of this.connections) connection.destroy()
    await closed
  }
  /** Frees what closed connections received. */
  forget(): void {
    this.connections.splice(0, Infinity, ...this.connections.filter(({ open }) => open))
  }
}
