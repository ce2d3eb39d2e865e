/** Lets a test await a condition on what a server has seen: checked whenever something happens, never by sleeping. */

export class Signal {
  #waiting = new Set<() => void>()

  /** Something happened: everyone who waits looks again. */
  changed(): void {
    for (const look of this.#waiting) look()
  }

  /** True as soon as the condition holds, false when the time is over. */
  until(condition: () => boolean, timeoutMs: number): Promise<boolean> {
    if (condition()) return Promise.resolve(true)
    return new Promise((resolve) => {
      const end = (held: boolean) => {
        clearTimeout(timer)
        this.#waiting.delete(look)
        resolve(held)
      }
      const look = () => condition() && end(true)
      const timer = setTimeout(() => end(condition()), timeoutMs)
      this.#waiting.add(look)
    })
  }
}
