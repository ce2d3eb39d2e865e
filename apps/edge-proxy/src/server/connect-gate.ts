/**
 * Limits how many attempts to connect to one address of a server are made at the same time (`upstreams.NAME.connectsMax`).
 * When a mail server restarts, every session needs a new connection. The server then gets the attempts in order, and serves
 * the first users while the others wait. An address that does not answer does not delay logins that can use another one. A turn
 * lasts until the login is answered, at most a second after the login was sent.
 */
import type { Address } from './resolver.ts'

interface Turns {
  entered: number
  /** In the order of their arrival. */
  readonly waiting: Set<() => void>
}

export class ConnectGate {
  /** By address. Addresses without an attempt have no entry. */
  readonly #turns = new Map<string, Turns>()

  /** Number of attempts that wait for their turn, at all addresses. */
  get waiting(): number {
    let count = 0
    for (const { waiting } of this.#turns.values()) count += waiting.size
    return count
  }

  /**
   * Waits for a turn. False: the signal was aborted first. Call `leave` after each true.
   * @param max the limit in force
   */
  enter(address: Address, max: number, signal: AbortSignal): boolean | Promise<boolean> {
    if (signal.aborted) return false
    if (this.enterNow(address, max)) return true
    const turns = this.#turns.get(address.address)!
    return new Promise((resolve) => {
      const settle = (isEntered: boolean) => {
        turns.waiting.delete(onTurn)
        signal.removeEventListener('abort', onAbort)
        resolve(isEntered)
      }
      const onTurn = () => settle(true)
      const onAbort = () => settle(false)
      signal.addEventListener('abort', onAbort)
      turns.waiting.add(onTurn)
    })
  }

  /** Takes a turn if one is free. Call `leave` after true. */
  enterNow({ address }: Address, max: number): boolean {
    const turns = this.#turns.get(address) ?? { entered: 0, waiting: new Set() }
    if (turns.entered >= max) return false
    turns.entered++
    this.#turns.set(address, turns)
    return true
  }

  /** The attempt has ended: the attempt that has waited longest gets its turn. */
  leave({ address }: Address): void {
    const turns = this.#turns.get(address)
    if (!turns) return
    const [next] = turns.waiting
    if (next) next()
    else if (--turns.entered === 0) this.#turns.delete(address)
  }
}
