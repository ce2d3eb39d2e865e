/**
 * Looks up the host names of servers by the resolver of the operating system. A name is looked up in the background before its
 * answer expires, with one lookup at a time. Logins wait only for the first answer. While the name server does not answer, the
 * last answer is used (docs/adr/0016-names-and-addresses.md).
 */
import { isIP } from 'node:net'
import type { UpstreamConfig } from '@imapfleet/config'
import type { Lookup } from '../net/network.ts'
import { dialErrorText } from '../net/socket-errors.ts'
import { systemNetwork } from '../net/system-network.ts'
import { delay, runtime } from '../runtime.ts'

export interface Address {
  host: string
  address: string
}

type NameConfig = Pick<UpstreamConfig, 'hosts' | 'addressFamily' | 'resolveEveryMs'>

const lookupOptions = {
  any: { family: 0, order: 'verbatim' },
  ipv4: { family: 4, order: 'verbatim' },
  ipv6: { family: 6, order: 'verbatim' },
  'ipv4-first': { family: 0, order: 'ipv4first' },
  'ipv6-first': { family: 0, order: 'ipv6first' },
} as const

/** Time after a failed lookup of a name without an answer. Logins in this time fail with the error of the lookup. */
const retryAfterMs = 1000

interface Name {
  /** The last answer. */
  addresses: readonly string[] | undefined
  /** Never rejects. */
  lookup: Promise<void> | undefined
  /** Why the last lookup failed. Undefined: it succeeded. */
  error: Error | undefined
  /** When the name is looked up again. */
  dueAt: number
}

export class Resolver {
  readonly #lookup: Lookup
  readonly #now: () => number
  readonly #names = new Map<string, Name>()

  constructor(find: Lookup = systemNetwork.lookup, now: () => number = () => runtime.now()) {
    this.#lookup = find
    this.#now = now
  }

  /** Starts the lookups that are due. Called each second, and by each dial. */
  refresh(config: NameConfig): void {
    for (const host of config.hosts) {
      if (isIP(host)) continue
      const name = this.#nameOf(host, config)
      if (!name.lookup && name.dueAt <= this.#now()) name.lookup = this.#lookUp(host, name, config)
    }
  }

  /** All known addresses, in the order of the hosts. */
  known(config: NameConfig): Address[] {
    return config.hosts.flatMap((host) => {
      const addresses = isIP(host) ? [host] : (this.#nameOf(host, config).addresses ?? [])
      return addresses.map((address) => ({ host, address }))
    })
  }

  /** Waits for the first answer about any host without addresses. False: no lookup is running, or the time is over. */
  async nextAnswer(config: NameConfig, timeoutMs: number, signal: AbortSignal): Promise<boolean> {
    const lookups = config.hosts
      .filter((host) => !isIP(host))
      .map((host) => this.#nameOf(host, config))
      .flatMap((name) => (name.lookup && !name.addresses ? [name.lookup.then(() => true)] : []))
    if (lookups.length === 0) return false
    const waiting = new AbortController()
    const timeout = delay(timeoutMs, AbortSignal.any([signal, waiting.signal]))
    try {
      return await Promise.race([...lookups, timeout.then(() => false)])
    } finally {
      waiting.abort()
    }
  }

  /** Hosts whose last lookup failed, with a sentence for operators. */
  failures(config: NameConfig): Map<string, string> {
    const failures = new Map<string, string>()
    for (const host of config.hosts) {
      if (isIP(host)) continue
      const { error, addresses } = this.#nameOf(host, config)
      const more = addresses ? '; its last addresses are used' : ''
      if (error) failures.set(host, `${host}: ${dialErrorText(error)}${more}`)
    }
    return failures
  }

  /** Removes the names that no server uses. */
  keepOnly(configs: readonly NameConfig[]): void {
    const present = new Set(configs.flatMap((config) => config.hosts.map((host) => keyOf(host, config))))
    for (const key of this.#names.keys()) if (!present.has(key)) this.#names.delete(key)
  }

  #nameOf(host: string, config: NameConfig): Name {
    const key = keyOf(host, config)
    let name = this.#names.get(key)
    if (!name) {
      name = { addresses: undefined, lookup: undefined, error: undefined, dueAt: 0 }
      this.#names.set(key, name)
    }
    return name
  }

  async #lookUp(host: string, name: Name, { addressFamily, resolveEveryMs }: NameConfig): Promise<void> {
    try {
      const found = await this.#lookup(host, { all: true, ...lookupOptions[addressFamily] })
      name.addresses = found.map(({ address }) => address)
      name.error = undefined
      name.dueAt = this.#now() + resolveEveryMs * 0.75
    } catch (error) {
      name.error = error as Error
      name.dueAt = this.#now() + (name.addresses ? resolveEveryMs / 4 : retryAfterMs)
    } finally {
      name.lookup = undefined
    }
  }
}

const keyOf = (host: string, { addressFamily }: NameConfig): string => `${addressFamily} ${host}`
