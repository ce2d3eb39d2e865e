/** Health checks: reads the greeting and capabilities of each server at intervals, so that they are known without a login. */
import { offers } from '../imap/capability.ts'
import { dial } from './dial.ts'
import type { Exchange } from './exchange.ts'
import type { Server } from './server.ts'

export class HealthChecks {
  readonly #servers: () => Iterable<Server>
  readonly #onChange: (server: Server) => void
  readonly #lastCheckedAt = new WeakMap<Server, number>()
  readonly #checking = new Set<Server>()
  readonly #reportedDown = new WeakSet<Server>()
  readonly #stopping = new AbortController()

  /** @param onChange called when a server goes down or comes back, as logins or checks find out */
  constructor(servers: () => Iterable<Server>, onChange: (server: Server) => void) {
    this.#servers = servers
    this.#onChange = onChange
  }

  /** Checks the servers that are due; call it each second. A server that has just greeted a login is not checked. */
  sweep(now: number): void {
    for (const server of this.#servers()) {
      this.#report(server)
      const { healthIntervalMs } = server.config
      const last = Math.max(this.#lastCheckedAt.get(server) ?? 0, server.greetedAt)
      if (healthIntervalMs === 0 || this.#checking.has(server) || now - last < healthIntervalMs) continue
      this.#lastCheckedAt.set(server, now)
      this.#checking.add(server)
      void this.#check(server).finally(() => this.#checking.delete(server))
    }
  }

  /** Closes the connections of checks under way. */
  stop(): void {
    this.#stopping.abort()
  }

  #report(server: Server): void {
    const isDown = server.downReason !== undefined
    if (this.#reportedDown.has(server) === isDown) return
    if (isDown) this.#reportedDown.add(server)
    else this.#reportedDown.delete(server)
    this.#onChange(server)
  }

  async #check(server: Server): Promise<void> {
    const dialed = await dial(server, this.#stopping.signal, server.proxyHeader())
    if (dialed.kind === 'dialed') {
      server.learnBeforeLogin(dialed.capabilities)
      server.markUp()
      if (offers(dialed.capabilities, 'ID')) await learnIdentification(server, dialed.exchange)
      // Only a courtesy: its reply is not awaited.
      void dialed.exchange.command('LOGOUT')
      dialed.link.closeWhenWritten(1000)
    } else if (dialed.kind === 'dial-failed') server.markDown(dialed.detail)
    this.#report(server)
  }
}

/** Clients that ask before login get the same answer. */
async function learnIdentification(server: Server, exchange: Exchange): Promise<void> {
  const timer = setTimeout(() => exchange.fail('timed-out'), server.config.connectTimeoutMs)
  const reply = await exchange.command('ID NIL')
  clearTimeout(timer)
  if (reply.kind === 'reply') server.identification.learnBeforeLogin(reply.untagged)
}
