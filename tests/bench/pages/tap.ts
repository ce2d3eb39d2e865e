/** A relay that counts connections, commands, bytes and the time that clients wait, and can hand on what was said. */
import { connect, createServer, type Server, type Socket } from 'node:net'
import { listenLocally, portOf, RelayedSockets } from '../../support/sockets.ts'
import { CommandCounter } from './command-counter.ts'

export interface TapCounts {
  connections: number
  commands: number
  bytesFromClients: number
  bytesFromServer: number
  /** From a command to the last byte before the next one, and from a connection to its greeting. */
  waitedMs: number
}

/** Bytes that passed. `connection` counts from 1. */
export interface Passed {
  connection: number
  from: 'client' | 'server'
  bytes: Buffer
}

export class CountingTap {
  readonly counts: TapCounts = {
    connections: 0,
    commands: 0,
    bytesFromClients: 0,
    bytesFromServer: 0,
    waitedMs: 0,
  }
  onPassed: ((passed: Passed) => void) | undefined
  readonly #server: Server
  readonly #sockets = new RelayedSockets()

  private constructor(target: number) {
    this.#server = createServer({ noDelay: true }, (near) => this.#join(near, target))
  }

  static async to(target: number): Promise<CountingTap> {
    const tap = new CountingTap(target)
    await listenLocally(tap.#server)
    return tap
  }

  get port(): number {
    return portOf(this.#server)
  }

  close(): void {
    this.#sockets.destroyAll()
    this.#server.close()
  }

  #join(near: Socket, target: number): void {
    const { counts } = this
    const far = connect({ port: target, host: '127.0.0.1', noDelay: true })
    const connection = ++counts.connections
    const commands = new CommandCounter()
    let since = performance.now()
    near.on('data', (bytes: Buffer) => {
      since = performance.now()
      counts.bytesFromClients += bytes.length
      counts.commands += commands.push(bytes)
      this.onPassed?.({ connection, from: 'client', bytes })
    })
    far.on('data', (bytes: Buffer) => {
      const now = performance.now()
      counts.waitedMs += now - since
      since = now
      counts.bytesFromServer += bytes.length
      this.onPassed?.({ connection, from: 'server', bytes })
    })
    near.pipe(far).pipe(near)
    this.#sockets.join(near, far)
  }
}
