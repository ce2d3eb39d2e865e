/**
 * Checks without a login whether servers answer: at the start, while a server or one of its addresses is down, and, if
 * configured, when no login has reached a server for a while. Logins count as checks, because servers log connections without
 * a login. Checks become rarer while a server stays down.
 */
import { jittered } from '../runtime.ts'
import { dial } from './dial.ts'
import { dialAddress } from './dial-address.ts'
import { learnAndClose } from './identify.ts'
import type { Address } from './resolver.ts'
import type { Server } from './server.ts'
import { shortageInDial, countsAsFailure } from './shortage.ts'

/** Events of outages, and the events of their ends. */
const ends = {
  upstream_down: 'upstream_up',
  address_down: 'address_up',
  name_unresolved: 'name_resolved',
} as const
type Outage = keyof typeof ends

/** Called at the beginning and the end of an outage that logins or checks found. */
type OnHealthEvent = (
  event: Outage | (typeof ends)[Outage],
  facts: { upstream: string; detail: string },
) => void

interface Schedule {
  checkAt: number
  pauseMs: number
}

const pauseMaxMs = 60_000

export class HealthChecks {
  readonly #servers: () => Iterable<Server>
  readonly #onEvent: OnHealthEvent
  /** Schedules of servers that are down or not checked yet. */
  readonly #schedules = new WeakMap<Server, Schedule>()
  readonly #checking = new Set<Server>()
  /** Reported outages of each server that have not ended: event and detail, by host or address. */
  readonly #reported = new WeakMap<Server, ReadonlyMap<string, [Outage, string]>>()
  readonly #stopping = new AbortController()

  constructor(servers: () => Iterable<Server>, onEvent: OnHealthEvent) {
    this.#servers = servers
    this.#onEvent = onEvent
  }

  /** Looks up names, and runs the checks that are due. Call it each second. */
  sweep(now: number): void {
    for (const server of this.#servers()) {
      server.resolver.refresh(server.config)
      this.#report(server)
      if (server.config.healthIntervalMs === 0 || this.#checking.has(server)) continue
      const check = this.#dueCheck(server, now)
      if (!check) continue
      this.#checking.add(server)
      void check().finally(() => {
        this.#checking.delete(server)
        this.#report(server)
      })
    }
  }

  get isChecking(): boolean {
    return this.#checking.size > 0
  }

  /** Closes the connections of running checks. */
  stop(): void {
    this.#stopping.abort()
  }

  #dueCheck(server: Server, now: number): (() => Promise<unknown>) | undefined {
    const { healthChecks, healthIntervalMs } = server.config
    const isUp = server.downReason === undefined && server.greetedAt > 0
    if (!isUp) {
      const schedule = this.#schedules.get(server) ?? { checkAt: 0, pauseMs: healthIntervalMs }
      if (now < schedule.checkAt) return undefined
      const pauseMs = Math.max(schedule.pauseMs, Math.min(schedule.pauseMs * 2, pauseMaxMs))
      this.#schedules.set(server, { checkAt: now + jittered(schedule.pauseMs), pauseMs })
      return () => this.#checkServer(server)
    }
    this.#schedules.delete(server)
    if (healthChecks === 'when-quiet' && now - server.greetedAt >= healthIntervalMs)
      return () => this.#checkServer(server)
    const due = server.addresses.takeDue(now)
    if (due.length === 0) return undefined
    return () => Promise.all(due.map((address) => this.#checkAddress(server, address)))
  }

  async #checkServer(server: Server): Promise<void> {
    const dialed = await dial(server, this.#stopping.signal, server.proxyHeader())
    if (dialed.kind === 'dialed') {
      server.markUp()
      await learnAndClose(server, dialed, this.#stopping.signal)
    } else if (dialed.kind === 'dial-failed' && countsAsFailure(shortageInDial(dialed)))
      server.markDown(dialed.detail)
  }

  /** Checks one address of a server that is up. */
  async #checkAddress(server: Server, address: Address): Promise<void> {
    const options = {
      signal: this.#stopping.signal,
      timeoutMs: server.config.connectTimeoutMs,
      preamble: server.proxyHeader(),
    }
    const dialed = await dialAddress(server, address, options)
    if (dialed.kind === 'dialed') await learnAndClose(server, dialed, this.#stopping.signal)
    else if (dialed.kind === 'dial-failed' && server.hasOnlyDownAddresses) server.markDown(dialed.detail)
  }

  #report(server: Server): void {
    const before = this.#reported.get(server)
    const present = outagesOf(server)
    if (!before && present.size === 0) return
    this.#reported.set(server, present)
    const upstream = server.name
    for (const [what, [event, detail]] of present)
      if (!before?.has(what)) this.#onEvent(event, { upstream, detail })
    for (const [what, [event]] of before ?? [])
      if (!present.has(what)) this.#onEvent(ends[event], { upstream, detail: what })
  }
}

/** Present outages, with event and reason. While the server is down, its addresses are not reported separately. */
function outagesOf(server: Server): Map<string, [Outage, string]> {
  const { downReason, addresses, resolver, config } = server
  const outages = new Map<string, [Outage, string]>()
  for (const [host, reason] of resolver.failures(config)) outages.set(host, ['name_unresolved', reason])
  if (downReason !== undefined) outages.set('', ['upstream_down', downReason])
  else for (const { address, reason } of addresses.down) outages.set(address, ['address_down', reason])
  return outages
}
