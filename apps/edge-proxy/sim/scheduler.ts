/**
 * Virtual time. Events run one after the other, in the order of their times. The callbacks of all promises that an event settled
 * run before the next event begins, so the result does not depend on the speed of the machine.
 */
import { EventLog } from './event-log.ts'

export interface Scheduled {
  readonly at: number
  readonly order: number
  run: (() => void) | undefined
}

/** Virtual time at the beginning of a world. */
export const startMs = 1_000_000

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

export class Scheduler {
  readonly log = new EventLog(() => this.#now)
  #now = startMs
  #order = 0
  #events = 0
  /** A binary heap, the next event first. */
  readonly #heap: Scheduled[] = []

  /** Milliseconds. */
  get now(): number {
    return this.#now
  }

  /** Events that have run. */
  get events(): number {
    return this.#events
  }

  /** Runs a callback after this time, before later events with the same time. */
  after(ms: number, run: () => void): Scheduled {
    const scheduled = { at: this.#now + Math.max(0, ms), order: ++this.#order, run }
    this.#push(scheduled)
    return scheduled
  }

  /** Runs a callback before every other event. */
  soon(run: () => void): void {
    this.#push({ at: -1, order: ++this.#order, run })
  }

  /** Idempotent, also after the event has run. */
  cancel(scheduled: Scheduled | undefined): void {
    if (scheduled) scheduled.run = undefined
  }

  /** Time passes without events, like in a stopped process. */
  freeze(ms: number): void {
    this.#now += ms
  }

  /** Settles after this time. */
  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.after(ms, resolve))
  }

  /**
   * Runs events until `isDone`, until no event is left, or until the time is over.
   * @param ms of virtual time
   * @returns the last result of `isDone`
   */
  async run(ms: number, isDone: () => boolean): Promise<boolean> {
    const until = this.#now + ms
    await turn()
    while (!isDone()) {
      const next = this.#heap[0]
      if (!next || next.at > until) {
        this.#now = Math.max(this.#now, until)
        return false
      }
      this.#pop()
      const { run } = next
      if (run === undefined) continue
      next.run = undefined
      this.#now = Math.max(this.#now, next.at)
      this.#events++
      run()
      await turn()
    }
    return true
  }

  /** Whether only cancelled events are left. */
  get isEmpty(): boolean {
    return this.#heap.every(({ run }) => run === undefined)
  }

  #push(scheduled: Scheduled): void {
    const heap = this.#heap
    let at = heap.push(scheduled) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (isBefore(heap[parent]!, scheduled)) break
      heap[at] = heap[parent]!
      at = parent
    }
    heap[at] = scheduled
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()!
    if (heap.length === 0) return
    let at = 0
    for (;;) {
      let child = at * 2 + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++
      if (isBefore(last, heap[child]!)) break
      heap[at] = heap[child]!
      at = child
    }
    heap[at] = last
  }
}

const isBefore = (one: Scheduled, other: Scheduled): boolean =>
  one.at !== other.at ? one.at < other.at : one.order < other.order
