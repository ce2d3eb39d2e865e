/**
 * Limits how many attempts to connect to one server are made at the same time (`upstreams.NAME.connectsMax`). When a mail
 * server restarts, every session needs a new connection. The server then gets the attempts in turn, and serves the first
 * users while the others wait. A login that the server is judging does not count.
 */
export class ConnectGate {
  #entered = 0
  /** In the order of their arrival. */
  readonly #waiting = new Set<() => void>()

  /** Attempts that wait for their turn. */
  get waiting(): number {
    return this.#waiting.size
  }

  /**
   * Waits for a turn. False: the signal was aborted first. Call `leave` after each true.
   * @param max the limit in force
   */
  enter(max: number, signal: AbortSignal): boolean | Promise<boolean> {
    if (signal.aborted) return false
    if (this.#entered < max) {
      this.#entered++
      return true
    }
    return new Promise((resolve) => {
      const settle = (isEntered: boolean) => {
        this.#waiting.delete(onTurn)
        signal.removeEventListener('abort', onAbort)
        resolve(isEntered)
      }
      const onTurn = () => settle(true)
      const onAbort = () => settle(false)
      signal.addEventListener('abort', onAbort)
      this.#waiting.add(onTurn)
    })
  }

  /** The attempt has ended: its turn passes to the one that has waited longest. */
  leave(): void {
    const [next] = this.#waiting
    if (next) next()
    else this.#entered--
  }
}
