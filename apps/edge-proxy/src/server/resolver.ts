/** Resolves the hosts of a server to addresses, with a cache, and orders them as configured. */
import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import type { UpstreamConfig } from '@imapfleet/config'

export interface Address {
  host: string
  address: string
}

const lookupOptions = {
  any: { family: 0, order: 'verbatim' },
  ipv4: { family: 4, order: 'verbatim' },
  ipv6: { family: 6, order: 'verbatim' },
  'ipv4-first': { family: 0, order: 'ipv4first' },
  'ipv6-first': { family: 0, order: 'ipv6first' },
} as const

export class Resolver {
  readonly #cache = new Map<string, { addresses: string[]; until: number }>()
  /** With `roundRobin`: how many times addresses were asked for. */
  #rounds = 0

  /** All addresses of all hosts. With `roundRobin`, each call starts at the next one. Throws DNS errors if there is none. */
  async resolve(config: UpstreamConfig): Promise<Address[]> {
    const lists = await Promise.allSettled(config.hosts.map((host) => this.#addressesOf(host, config)))
    const addresses = lists.flatMap((list) => (list.status === 'fulfilled' ? list.value : []))
    if (addresses.length === 0) {
      const failed = lists.find((list) => list.status === 'rejected')
      throw failed?.reason ?? new Error(`no ${config.addressFamily} address`)
    }
    const first = config.roundRobin ? this.#rounds++ % addresses.length : 0
    return [...addresses.slice(first), ...addresses.slice(0, first)]
  }

  async #addressesOf(host: string, config: UpstreamConfig): Promise<Address[]> {
    if (isIP(host)) return [{ host, address: host }]
    const key = `${config.addressFamily} ${host}`
    const cached = this.#cache.get(key)
    if (cached && cached.until > Date.now()) return cached.addresses.map((address) => ({ host, address }))
    try {
      const found = await lookup(host, { all: true, ...lookupOptions[config.addressFamily] })
      const addresses = found.map((entry) => entry.address)
      this.#cache.set(key, { addresses, until: Date.now() + config.resolveEveryMs })
      return addresses.map((address) => ({ host, address }))
    } catch (error) {
      // While the name server is down, addresses that have expired are still used.
      if (cached) return cached.addresses.map((address) => ({ host, address }))
      throw error
    }
  }
}
