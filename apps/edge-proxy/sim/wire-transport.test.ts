/** A wire in memory must satisfy the same contract as a connection of the system. */
import { after } from 'node:test'
import { Link } from '../src/net/link.ts'
import { testTransport, type ContractPeer } from '../src/net/transport-contract.test-support.ts'
import { Chance } from './chance.ts'
import { Scheduler } from './scheduler.ts'
import { overWire } from './wire-transport.ts'
import { Wire, type WireEnd, type WireHandler } from './wire.ts'

const scheduler = new Scheduler()
let isOver = false
after(() => (isOver = true))

/** Runs virtual time continuously, as fast as possible. */
async function runAlways(): Promise<void> {
  while (!isOver) {
    await scheduler.run(60_000, () => isOver)
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
}

/** The other end of a wire. */
class WirePeer implements WireHandler, ContractPeer {
  readonly socket: ContractPeer['socket']
  #unread = ''
  #state: 'open' | 'finished' | 'closed' = 'open'
  readonly #end: WireEnd

  constructor(end: WireEnd) {
    this.#end = end
    end.handler = this
    end.resume()
    const socket = {
      pause: () => (end.pause(), socket),
      resume: () => (end.resume(), socket),
      resetAndDestroy: () => (end.reset(), socket),
      end: () => end.finish(),
      write: (bytes: Buffer) => end.write(bytes),
    } as unknown as ContractPeer['socket']
    this.socket = socket
  }

  onBytes(bytes: Buffer): void {
    this.#unread += bytes.toString('latin1')
  }

  onFinish(): void {
    if (this.#state === 'open') this.#state = 'finished'
  }

  onReset(): void {
    this.#state = 'closed'
  }

  say(text: string): void {
    this.#end.write(text)
  }

  async bytes(count: number): Promise<string> {
    await this.#until(() => this.#unread.length >= count)
    const taken = this.#unread.slice(0, count)
    this.#unread = this.#unread.slice(count)
    return taken
  }

  async finished(): Promise<string> {
    await this.#until(() => this.#state !== 'open')
    const taken = this.#unread
    this.#unread = ''
    return taken
  }

  async closed(): Promise<string> {
    const rest = await this.finished()
    this.#end.close()
    return rest
  }

  async #until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await new Promise((resolve) => setImmediate(resolve))
  }
}

let wires = 0

async function connected(isAccepted: boolean) {
  if (wires === 0) void runAlways()
  const chance = new Chance(++wires)
  const wire = new Wire({ scheduler, chance, name: `w${wires}`, addresses: ['10.0.0.1', '10.0.0.2'] })
  const [own, other] = isAccepted ? [wire.far, wire.near] : [wire.near, wire.far]
  const link = new Link(overWire(own))
  return { link, peer: new WirePeer(other), held: () => 0 }
}

testTransport('wire', {
  accepted: () => connected(true),
  dialed: () => connected(false),
  bigBytes: 400_000,
})
