/** The ports of a simulated world, and the networks of its edges. */
import type { Network } from '../src/net/network.ts'
import type { Chance } from './chance.ts'
import type { Scheduler } from './scheduler.ts'
import { overWire } from './wire-transport.ts'
import { Wire, type WireEnd } from './wire.ts'

interface Attempt {
  /** Undefined: not connected yet. */
  wire: Wire | undefined
}

/** How a host answers connection attempts. */
export type Reachability = 'up' | 'refuses' | 'silent'

export class Switchboard {
  readonly #scheduler: Scheduler
  readonly #chance: Chance
  readonly #ports = new Map<string, (end: WireEnd) => void>()
  readonly #reachability = new Map<string, Reachability>()
  /** Wires with an open end. */
  readonly wires = new Set<Wire>()
  #dials = 0
  /** By address: attempts of edges to connect, until the server has greeted. */
  readonly #attempts = new Map<string, Set<Attempt>>()
  readonly #isCoarse: boolean

  /** @param isCoarse whether the wires are coarse */
  constructor(scheduler: Scheduler, chance: Chance, isCoarse: boolean) {
    this.#scheduler = scheduler
    this.#chance = chance
    this.#isCoarse = isCoarse
  }

  /** @returns closes the port */
  bind(address: string, port: number, onConnection: (end: WireEnd) => void): () => void {
    const key = `${address}:${port}`
    if (this.#ports.has(key)) throw Object.assign(new Error('in use'), { code: 'EADDRINUSE' })
    this.#ports.set(key, onConnection)
    return () => void this.#ports.delete(key)
  }

  set(address: string, reachability: Reachability): void {
    this.#reachability.set(address, reachability)
  }

  /** @param from name and address of the dialing end */
  async dial(
    from: { name: string; address: string },
    to: { address: string; port: number },
    signal?: AbortSignal,
  ): Promise<WireEnd> {
    const chance = this.#chance.derive(`${from.name} ${++this.#dials}`)
    await this.#scheduler.sleep(chance.pick([0, 0.1, 1, 20]))
    const state = this.#reachability.get(to.address) ?? 'up'
    if (state === 'silent') await aborted(signal)
    if (signal?.aborted) throw new Error('timed out')
    const accept = this.#ports.get(`${to.address}:${to.port}`)
    if (state === 'refuses' || !accept)
      throw Object.assign(new Error('refused'), { code: 'ECONNREFUSED', syscall: 'connect' })
    const wire = new Wire({
      scheduler: this.#scheduler,
      chance,
      name: from.name,
      addresses: [from.address, to.address],
      isCoarse: this.#isCoarse,
    })
    this.wires.add(wire)
    wire.onOver = () => void this.wires.delete(wire)
    accept(wire.far)
    return wire.near
  }

  /** Number of attempts of edges to connect to this address, until the greeting. */
  attemptsAt(address: string): number {
    const attempts = this.#attempts.get(address)
    for (const attempt of attempts ?? []) if (attempt.wire?.near.isClosed) attempts!.delete(attempt)
    return attempts?.size ?? 0
  }

  #attemptsOf(address: string): Set<Attempt> {
    const attempts = this.#attempts.get(address) ?? new Set()
    this.#attempts.set(address, attempts)
    return attempts
  }

  /** The network of an edge. */
  networkOf(edge: { name: string; address: string }): Network {
    let dials = 0
    return {
      listen: async ({ address, port }, onConnection) => ({
        close: this.bind(address, port, (end) => onConnection(overWire(end), -1)),
      }),
      dial: async ({ host, port }, signal) => {
        const name = `${edge.name}-s${++dials}`
        const attempts = this.#attemptsOf(host)
        const attempt: Attempt = { wire: undefined }
        attempts.add(attempt)
        const settled = () => attempts.delete(attempt)
        // The edge has stopped waiting.
        signal.addEventListener('abort', settled)
        const dialed = this.dial({ name, address: edge.address }, { address: host, port }, signal)
        const end = await dialed.catch((error: unknown) => {
          settled()
          throw error
        })
        attempt.wire = end.wire
        end.wire.far.whenDelivered(settled)
        return {
          open: overWire(end),
          addresses: { localAddress: edge.address, localPort: 20_000 + dials, remoteAddress: host },
        }
      },
      lookup: async (host) => {
        await this.#scheduler.sleep(1)
        // mail12: 10.0.0.1 and 10.0.0.2.
        const digits = /^mail(\d+)\.example$/.exec(host)?.[1]
        if (digits === undefined) throw Object.assign(new Error('not found'), { code: 'ENOTFOUND' })
        return digits.split('').map((digit) => ({ address: `10.0.0.${digit}` }))
      },
    }
  }
}

function aborted(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) resolve()
    signal?.addEventListener('abort', () => resolve())
  })
}
