/** Prints how far a long step of the filling is, and how much longer it takes at the rate so far. */
const everyMs = 5_000

export class Progress {
  readonly #title: string
  readonly #total: number
  readonly #startedAt = performance.now()
  #printedAt = this.#startedAt

  constructor(title: string, total: number) {
    this.#title = title
    this.#total = total
  }

  /** Prints at most every five seconds. */
  at(done: number): void {
    const now = performance.now()
    if (now - this.#printedAt < everyMs) return
    this.#printedAt = now
    const elapsedMs = now - this.#startedAt
    const left = done > 0 ? `, about ${spanText((elapsedMs * (this.#total - done)) / done)} left` : ''
    const percent = Math.floor((100 * done) / this.#total)
    console.log(`${this.#title}: ${percent} % after ${spanText(elapsedMs)}${left}`)
  }

  end(): void {
    console.log(`${this.#title}: done in ${spanText(performance.now() - this.#startedAt)}`)
  }
}

/** `42 s`, `8 min 5 s`. */
export function spanText(ms: number): string {
  const seconds = Math.round(ms / 1000)
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}
