/**
 * Time limits that nearly never run out, one timer for all of them: a timer of its own for each reset costs more than the
 * rest of its bookkeeping.
 */
export interface Limited {
  onDeadline(): void
}

const stepMs = 50

export class Deadlines {
  /** The step in which each is due. */
  readonly #due = new Map<Limited, number>()
  #step = 0
  #timer: NodeJS.Timeout | undefined

  /** `limited` is told when so much time has passed (and up to two steps more), unless it is removed before. */
  add(limited: Limited, ms: number): void {
    this.#due.set(limited, this.#step + Math.ceil(ms / stepMs) + 1)
    this.#timer ??= setInterval(() => this.#advance(), stepMs)
  }

  remove(limited: Limited): void {
    this.#due.delete(limited)
  }

  #advance(): void {
    this.#step++
    if (this.#due.size === 0) {
      clearInterval(this.#timer)
      this.#timer = undefined
    }
    for (const [limited, step] of this.#due) {
      if (step > this.#step) continue
      this.#due.delete(limited)
      limited.onDeadline()
    }
  }
}
