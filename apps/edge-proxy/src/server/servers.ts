/** The configured servers at work, by name, and the ones that a user or a listener leads to. */
import type { SecureContext } from 'node:tls'
import type { EdgeConfig } from '@imapfleet/config'
import type { EdgeMetrics } from '@imapfleet/observe'
import { routeOf, upstreamsOn } from './routes.ts'
import { Server } from './server.ts'

export class Servers {
  readonly #metrics: EdgeMetrics
  #config: EdgeConfig
  #byName = new Map<string, Server>()
  #lastGeneration = 0

  /** @param contexts TLS contexts by server name */
  constructor(config: EdgeConfig, contexts: ReadonlyMap<string, SecureContext>, metrics: EdgeMetrics) {
    this.#metrics = metrics
    this.#config = config
    this.configure(config, contexts)
  }

  /** Servers whose settings are the same stay as they are; the others are replaced. */
  configure(config: EdgeConfig, contexts: ReadonlyMap<string, SecureContext>): void {
    const byName = new Map<string, Server>()
    for (const [name, settings] of Object.entries(config.upstreams)) {
      const context = contexts.get(name)
      const present = this.#byName.get(name)
      if (present && JSON.stringify(present.config) === JSON.stringify(settings)) {
        present.renewTls(context)
        byName.set(name, present)
      } else byName.set(name, new Server(name, settings, ++this.#lastGeneration, this.#metrics, context))
    }
    this.#config = config
    this.#byName = byName
  }

  get(name: string): Server | undefined {
    return this.#byName.get(name)
  }

  all(): IterableIterator<Server> {
    return this.#byName.values()
  }

  /** The server that this user is routed to on this listener. */
  for(user: string, listener: string): Server {
    return this.#byName.get(routeOf(this.#config, user, listener))!
  }

  /** Every server that a client of this listener may be routed to. */
  on(listener: string): Server[] {
    return upstreamsOn(this.#config, listener).map((name) => this.#byName.get(name)!)
  }
}
