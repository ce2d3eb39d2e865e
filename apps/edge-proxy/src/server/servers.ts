/** All configured servers by name, and the routes from users and listeners to them. */
import type { SecureContext } from 'node:tls'
import type { EdgeConfig, RouteConfig } from '@imapfleet/config'
import type { EdgeMetrics } from '@imapfleet/observe'
import type { Network } from '../net/network.ts'
import { Resolver } from './resolver.ts'
import { Server } from './server.ts'

export class Servers {
  readonly #metrics: EdgeMetrics
  #config: EdgeConfig
  #byName = new Map<string, Server>()
  /** Cache of `on`. */
  #byListener = new Map<string, readonly Server[]>()
  #lastGeneration = 0
  readonly #network: Network
  readonly #resolver: Resolver

  /** @param contexts TLS contexts by server name */
  constructor(
    config: EdgeConfig,
    contexts: ReadonlyMap<string, SecureContext>,
    metrics: EdgeMetrics,
    network: Network,
  ) {
    this.#metrics = metrics
    this.#network = network
    this.#resolver = new Resolver(network.lookup)
    this.#config = config
    this.configure(config, contexts)
  }

  /** Replaces the servers whose settings have changed. A paused server stays paused. The others keep all their state. */
  configure(config: EdgeConfig, contexts: ReadonlyMap<string, SecureContext>): void {
    const byName = new Map<string, Server>()
    for (const [name, settings] of Object.entries(config.upstreams)) {
      const context = contexts.get(name)
      const present = this.#byName.get(name)
      if (present && JSON.stringify(present.config) === JSON.stringify(settings)) {
        present.renewTls(context)
        byName.set(name, present)
      } else {
        const generation = ++this.#lastGeneration
        const server = new Server(
          name,
          settings,
          generation,
          this.#metrics,
          context,
          this.#resolver,
          this.#network,
        )
        server.isPaused = present?.isPaused ?? false
        byName.set(name, server)
      }
    }
    for (const [name, before] of this.#byName) {
      if (byName.get(name) === before) continue
      before.knowledge?.retire()
      before.connectAhead.end()
    }
    this.#resolver.keepOnly(Object.values(config.upstreams))
    this.#config = config
    this.#byName = byName
    this.#byListener = new Map()
  }

  get(name: string): Server | undefined {
    return this.#byName.get(name)
  }

  all(): IterableIterator<Server> {
    return this.#byName.values()
  }

  /** The server for this user on this listener: that of the first matching route, otherwise the default server. */
  for(user: string, listener: string): Server {
    const route = this.#config.routes.find((candidate) => matches(candidate, user, listener))
    return this.#byName.get(route?.upstream ?? defaultServer(this.#config))!
  }

  /** Every server that a client of this listener may be routed to. */
  on(listener: string): readonly Server[] {
    let servers = this.#byListener.get(listener)
    if (!servers) {
      servers = serverNamesOn(this.#config, listener).map((name) => this.#byName.get(name)!)
      this.#byListener.set(listener, servers)
    }
    return servers
  }
}

/** `main`, or the first server if there is no `main`. */
const defaultServer = ({ upstreams }: EdgeConfig): string =>
  upstreams['main'] ? 'main' : Object.keys(upstreams)[0]!

function serverNamesOn(config: EdgeConfig, listener: string): string[] {
  const routes = config.routes.filter((route) => route.listener === undefined || route.listener === listener)
  const routed = routes.map(({ upstream }) => upstream)
  const hasRouteForAll = routes.some((route) => route.domain === undefined && route.user === undefined)
  return [...new Set(hasRouteForAll ? routed : [defaultServer(config), ...routed])]
}

function matches(route: RouteConfig, user: string, listener: string): boolean {
  if (route.listener !== undefined && route.listener !== listener) return false
  if (route.domain !== undefined && !user.toLowerCase().endsWith(`@${route.domain.toLowerCase()}`))
    return false
  return route.user === undefined || matchesPattern(route.user, user)
}

/** `*` matches any characters, and the case of letters is ignored. The time is linear in the length of the text. */
function matchesPattern(pattern: string, text: string): boolean {
  const parts = pattern.toLowerCase().split('*')
  const lower = text.toLowerCase()
  const first = parts[0]!
  const last = parts.at(-1)!
  if (parts.length === 1) return lower === first
  if (!lower.startsWith(first) || !lower.endsWith(last) || lower.length < first.length + last.length)
    return false
  let at = first.length
  for (const part of parts.slice(1, -1)) {
    const found = lower.indexOf(part, at)
    if (found < 0) return false
    at = found + part.length
  }
  return at <= lower.length - last.length
}
