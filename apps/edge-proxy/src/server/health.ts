/** Asks each upstream for its greeting now and then: whether it lives, and what it can do before anybody logs in. */
import { dial } from './dial.ts'
import type { Server } from './server.ts'

export class Health {
  readonly #servers: () => Iterable<Server>
  readonly #lastAsked = new WeakMap<Server, number>()
  readonly #asking = new Set<Server>()
  readonly #toldDown = new WeakSet<Server>()
  readonly #onChange: (server: Server) => void

  /** @param onChange told when an upstream begins or ceases to answer */
  constructor(servers: () => Iterable<Server>, onChange: (server: Server) => void) {
    this.#servers = servers
    this.#onChange = onChange
  }

  /** One round; call it each second. Upstreams that logins have just proven are not asked. */
  sweep(now: number): void {
    for (const server of this.#servers()) {
      this.#tell(server)
      const { healthIntervalMs } = server.config
      const last = Math.max(this.#lastAsked.get(server) ?? 0, server.answeredAt)
      if (healthIntervalMs === 0 || this.#asking.has(server) || now - last < healthIntervalMs) continue
      this.#lastAsked.set(server, now)
      this.#asking.add(server)
      void this.#ask(server).finally(() => this.#asking.delete(server))
    }
  }

  /** Logins find out, too: what counts is what was last told. */
  #tell(server: Server): void {
    const isDown = server.trouble !== undefined
    if (this.#toldDown.has(server) === isDown) return
    if (isDown) this.#toldDown.add(server)
    else this.#toldDown.delete(server)
    this.#onChange(server)
  }

  async #ask(server: Server): Promise<void> {
    const dialed = await dial(server, server.proxyHeader())
    if (dialed.kind === 'dialed') {
      server.greeted(dialed.capabilities)
      server.succeeded()
      // Polite, and not waited for.
      void dialed.exchange.command('LOGOUT')
      dialed.link.closeWhenWritten(1000)
    } else server.failed(dialed.detail)
    this.#tell(server)
  }
}
