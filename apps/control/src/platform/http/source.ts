/**
 * The source address of a request: the address of the connection, or, if it belongs to a trusted proxy, the last
 * address in X-Forwarded-For that does not.
 */
import { BlockList, isIPv6 } from 'node:net'
import type { HttpBindings } from '@hono/node-server'
import type { Context } from 'hono'

export type SourceOf = (context: Context) => string

export function sourceReader(trustedProxies: readonly string[]): SourceOf {
  const trusted = new BlockList()
  for (const network of trustedProxies) {
    const [address = '', prefix] = network.split('/')
    const family = isIPv6(address) ? 'ipv6' : 'ipv4'
    if (prefix === undefined) trusted.addAddress(address, family)
    else trusted.addSubnet(address, Number(prefix), family)
  }
  const isTrusted = (address: string) => trusted.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')

  return (context) => {
    const { incoming } = (context.env ?? {}) as Partial<HttpBindings>
    const forwarded = (context.req.header('x-forwarded-for') ?? '')
      .split(',')
      .map((address) => address.trim())
    const chain = [...forwarded, incoming?.socket.remoteAddress ?? ''].filter(Boolean).map(plain)
    return chain.findLast((address) => !isTrusted(address)) ?? chain[0] ?? 'unknown'
  }
}

/** IPv4 addresses in IPv6 form, as a dual-stack socket reports them. */
const plain = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/i, '').slice(0, 100)
