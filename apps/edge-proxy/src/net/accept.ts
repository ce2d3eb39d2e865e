/** Prepares an accepted connection for IMAP: reads the PROXY header and completes TLS, if the listener requires them. */
import type { SecureContext } from 'node:tls'
import type { ListenerConfig } from '@imapfleet/config'
import { Link, type OpenTransport } from './link.ts'
import { networksContain, plainAddress } from './networks.ts'
import { parseProxyHeader } from './proxy-header.ts'
import { acceptTls } from './tls.ts'

export interface AcceptedClient {
  kind: 'accepted'
  link: Link
  /** The client's address, from the PROXY header if the peer is trusted to send one. The first call makes a system call. */
  address: () => string
  secure: boolean
}

/** The link is closed, by the peer (`gone`) or by the edge (`refused`). */
export type NotAccepted = { kind: 'gone' } | { kind: 'refused'; reason: 'proxy-header' | 'tls-handshake' }

/** Synchronous if neither a PROXY header nor TLS is required. Otherwise each of them must complete within `timeoutMs`. */
export function acceptClient(
  open: OpenTransport,
  listener: { config: ListenerConfig; context: SecureContext | undefined },
  timeoutMs: number,
): AcceptedClient | Promise<AcceptedClient | NotAccepted> {
  const { config, context } = listener
  const link = new Link(open)
  const address = () => plainAddress(link.remoteAddress)
  const isProxied =
    config.proxyProtocolFrom.length > 0 && networksContain(config.proxyProtocolFrom, address())
  const secure = config.tls === 'implicit' && context !== undefined
  if (!isProxied && !secure) return { kind: 'accepted', link, address, secure }
  return acceptSlowly(link, { address, isProxied, context: secure ? context : undefined }, timeoutMs)
}

async function acceptSlowly(
  link: Link,
  facts: { address: () => string; isProxied: boolean; context: SecureContext | undefined },
  timeoutMs: number,
): Promise<AcceptedClient | NotAccepted> {
  let { address } = facts
  if (facts.isProxied) {
    const header = await readProxyHeader(link, timeoutMs)
    if (header.kind !== 'header') return header
    const clientAddress = header.address
    if (clientAddress !== undefined) address = () => clientAddress
  }
  if (facts.context && !(await acceptTls(link, facts.context, timeoutMs)))
    return { kind: 'refused', reason: 'tls-handshake' }
  return { kind: 'accepted', link, address, secure: facts.context !== undefined }
}

function readProxyHeader(
  link: Link,
  timeoutMs: number,
): Promise<{ kind: 'header'; address: string | undefined } | NotAccepted> {
  return new Promise((resolve) => {
    let bytes = Buffer.alloc(0)
    const refuse = () => {
      link.close()
      resolve({ kind: 'refused', reason: 'proxy-header' })
    }
    const timer = setTimeout(refuse, timeoutMs)
    link.handler = {
      onData(chunk) {
        bytes = Buffer.concat([bytes, chunk])
        const header = parseProxyHeader(bytes)
        if (header.kind === 'more') return
        clearTimeout(timer)
        if (header.kind === 'bad') return refuse()
        link.unshift(bytes.subarray(header.length))
        resolve({ kind: 'header', address: header.address })
      },
      onEnd() {
        clearTimeout(timer)
        resolve({ kind: 'gone' })
      },
    }
  })
}
