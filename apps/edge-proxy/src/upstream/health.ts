/** Asks each upstream for its greeting now and then: whether it lives, and what it can do before anybody logs in. */
import { dial } from './dial.ts'
import type { Target } from './target.ts'

export class Health {
  readonly #targets: () => Iterable<Target>
  readonly #lastAsked = new WeakMap<Target, number>()
  readonly #asking = new Set<Target>()
  readonly #toldDown = new WeakSet<Target>()
  readonly #onChange: (target: Target) => void

  /** @param onChange told when an upstream begins or ceases to answer */
  constructor(targets: () => Iterable<Target>, onChange: (target: Target) => void) {
    this.#targets = targets
    this.#onChange = onChange
  }

  /** One round; call it each second. Upstreams that logins have just proven are not asked. */
  sweep(now: number): void {
    for (const target of this.#targets()) {
      this.#tell(target)
      const { healthIntervalMs } = target.config
      const last = Math.max(this.#lastAsked.get(target) ?? 0, target.answeredAt)
      if (healthIntervalMs === 0 || this.#asking.has(target) || now - last < healthIntervalMs) continue
      this.#lastAsked.set(target, now)
      this.#asking.add(target)
      void this.#ask(target).finally(() => this.#asking.delete(target))
    }
  }

  /** Logins find out, too: what counts is what was last told. */
  #tell(target: Target): void {
    const isDown = target.trouble !== undefined
    if (this.#toldDown.has(target) === isDown) return
    if (isDown) this.#toldDown.add(target)
    else this.#toldDown.delete(target)
    this.#onChange(target)
  }

  async #ask(target: Target): Promise<void> {
    const dialed = await dial(target, target.proxyHeader())
    if (dialed.kind === 'dialed') {
      target.greeted(dialed.capabilities)
      target.succeeded()
      // Polite, and not waited for.
      void dialed.exchange.command('LOGOUT')
      dialed.link.closeWhenWritten(1000)
    } else target.failed(dialed.detail)
    this.#tell(target)
  }
}
