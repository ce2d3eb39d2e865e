/** Lets a test wait for a condition on what a server has seen. It is checked at each event, without sleeping. */

export class Signal {
  #waiting = new Set<() => void>()

  /** Makes all waiting calls check their condition. */
  changed(): void {
    for (const look of this.#waiting) look()
  }

  /** True as soon as the condition holds, false after the time limit. */
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
