/**
 * Timeouts that hardly ever expire, with one timer for all of them, because a timer for each reset would cost more CPU time than
 * the rest of its bookkeeping. The timer does not keep the process alive.
 */
import { LinkedMap, type Linked } from '../linked-members.ts'
import { runtime, type Timer } from '../runtime.ts'

const stepMs = 50

export class CoarseTimeouts<Item extends Linked<Item>> {
  readonly #onTimeout: (item: Item) => void
  /** The step at which each item expires. */
  readonly #due = new LinkedMap<Item, number>()
  #step = 0
  #timer: Timer | undefined

  constructor(onTimeout: (item: Item) => void) {
    this.#onTimeout = onTimeout
  }

  /** Calls `onTimeout` for the item after this time, at most two steps late, unless the item is removed before. */
  add(item: Item, ms: number): void {
    this.#due.set(item, this.#step + Math.ceil(ms / stepMs) + 1)
    this.#timer ??= runtime.every(stepMs, () => this.#advance()).unref()
  }

  remove(item: Item): void {
    this.#due.delete(item)
  }

  #advance(): void {
    this.#step++
    if (this.#due.size === 0) {
      runtime.cancel(this.#timer)
      this.#timer = undefined
    }
    for (const [item, step] of this.#due) {
      if (step > this.#step) continue
      this.#due.delete(item)
      this.#onTimeout(item)
    }
  }
}
