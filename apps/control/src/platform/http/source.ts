/**
 * The source address of a request: the address of the connection, or, if it belongs to a trusted proxy, the last
 * address in X-Forwarded-For that does not. It is always an address, or `unknown`.
 */
import { BlockList, isIP, isIPv6 } from 'node:net'
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

  // A socket forgets its address when the client leaves, which can be while the request is handled.
  const known = new WeakMap<object, string>()
  return (context) => {
    const { incoming } = (context.env ?? {}) as Partial<HttpBindings>
    const before = incoming && known.get(incoming)
    if (before !== undefined) return before
    const source = read(context, incoming)
    if (incoming && source !== undefined) known.set(incoming, source)
    return source ?? 'unknown'
  }

  function read(context: Context, incoming: HttpBindings['incoming'] | undefined): string | undefined {
    let source = addressIn(incoming?.socket.remoteAddress ?? '')
    // Each trusted proxy appends the address of its client. Earlier entries can be forged.
    const forwarded = (context.req.header('x-forwarded-for') ?? '').split(',')
    while (source !== undefined && isTrusted(source) && forwarded.length > 0) {
      const earlier = addressIn(forwarded.pop() ?? '')
      if (earlier === undefined) break
      source = earlier
    }
    return source
  }
}

/** The address in a text, without port, brackets and zone. IPv4 in IPv6 form, as a dual-stack socket reports it, is IPv4. */
function addressIn(text: string): string | undefined {
  const trimmed = text.trim()
  const [, bracketed, v4] = /^\[([^\]]+)\](?::\d{1,5})?$|^([\d.]+):\d{1,5}$/.exec(trimmed) ?? []
  const [bare = ''] = (bracketed ?? v4 ?? trimmed).split('%')
  const address = bare.toLowerCase().replace(/^::ffff:(?=\d+\.)/, '')
  return isIP(address) === 0 ? undefined : address
}
