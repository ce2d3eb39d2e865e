/** Controls all simulated edges, which run in a few processes. */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Nats } from '@imapfleet/local'
import type { EdgeAddress } from '@imapfleet/protocol'
import { BenchError } from '../../problem.ts'
import {
  usualPattern,
  type HerdPattern,
  type HerdReply,
  type HerdRequest,
  type Numbered,
  type ReportsGoTo,
} from './messages.ts'

const program = join(import.meta.dirname, 'main.ts')

export class Herd {
  readonly addresses: EdgeAddress[]
  readonly pattern: HerdPattern
  readonly #processes: HerdProcess[]

  /** `edge-00001` and so on, distributed over the regions. */
  constructor(size: number, regions: readonly string[], processes: number, pattern = usualPattern) {
    this.pattern = pattern
    this.addresses = Array.from({ length: size }, (_, index) => ({
      region: regions[index % regions.length] ?? '',
      edge: `edge-${String(index + 1).padStart(5, '0')}`,
    }))
    this.#processes = Array.from({ length: processes }, () => new HerdProcess())
  }

  get pids(): number[] {
    return this.#processes.map(({ pid }) => pid)
  }

  async join({ url, tokenFile }: Pick<Nats, 'url' | 'tokenFile'>): Promise<void> {
    const share = Math.ceil(this.addresses.length / this.#processes.length)
    const { pattern } = this
    await this.#all((index) => {
      const edges = this.addresses.slice(index * share, (index + 1) * share)
      return { kind: 'join', edges, url, tokenFile, pattern }
    })
  }

  async die(ids: string[]): Promise<void> {
    await this.#all(() => ({ kind: 'die', ids }))
  }

  async revive(): Promise<void> {
    await this.#all(() => ({ kind: 'revive' }))
  }

  /** Resolves when JetStream has stored this many more reports of each edge. */
  async report(each: number, to: ReportsGoTo = 'control'): Promise<void> {
    await this.#all(() => ({ kind: 'report', each, to }))
  }

  async leave(): Promise<void> {
    await Promise.all(this.#processes.map(async (herd) => await herd.end()))
  }

  async #all(request: (index: number) => HerdRequest): Promise<void> {
    await Promise.all(this.#processes.map(async (herd, index) => await herd.ask(request(index))))
  }
}

class HerdProcess {
  readonly #child: ChildProcess = fork(program)
  readonly #waiting = new Map<number, PromiseWithResolvers<void>>()
  #number = 0

  constructor() {
    this.#child.on('message', ({ number, trouble }: HerdReply) => {
      const waiting = this.#waiting.get(number)
      this.#waiting.delete(number)
      if (trouble === undefined) waiting?.resolve()
      else waiting?.reject(new BenchError(`simulated edges: ${trouble}`))
    })
    this.#child.once('exit', () => {
      for (const { reject } of this.#waiting.values()) reject(new BenchError('simulated edges have ended'))
    })
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  async ask(request: HerdRequest): Promise<void> {
    this.#number += 1
    const waiting = Promise.withResolvers<void>()
    this.#waiting.set(this.#number, waiting)
    this.#child.send({ number: this.#number, request } satisfies Numbered)
    await waiting.promise
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = once(this.#child, 'exit')
    await this.ask({ kind: 'leave' })
    this.#child.disconnect()
    await ended
  }
}
