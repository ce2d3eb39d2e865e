/** From an accepted connection to a link that IMAP can be spoken on: PROXY header first, where one is due, then TLS. */
import type { SecureContext } from 'node:tls'
import type { ListenerConfig } from '@imapfleet/config'
import type { OpenTransport } from './transport.ts'
import { Link } from './link.ts'
import { networksContain, plainAddress } from './networks.ts'
import { parseProxyHeader } from './proxy-header.ts'
import { acceptTls } from './tls.ts'

export interface Admitted {
  kind: 'admitted'
  link: Link
  /** The client's address, by the PROXY header where one is trusted. The first call costs a system call. */
  address: () => string
  secure: boolean
}

export type NotAdmitted = { kind: 'gone' } | { kind: 'refused'; reason: 'proxy-header' | 'tls-handshake' }

/** Settles at once for a plain listener without PROXY headers; otherwise within `timeoutMs`. */
export function admit(
  open: OpenTransport,
  listener: { config: ListenerConfig; context: SecureContext | undefined },
  timeoutMs: number,
): Admitted | Promise<Admitted | NotAdmitted> {
  const { config, context } = listener
  const link = new Link(open)
  const address = () => plainAddress(link.remoteAddress)
  const isProxied =
    config.proxyProtocolFrom.length > 0 && networksContain(config.proxyProtocolFrom, address())
  const secure = config.tls === 'implicit' && context !== undefined
  if (!isProxied && !secure) return { kind: 'admitted', link, address, secure }
  return admitSlowly(link, { address, isProxied, context: secure ? context : undefined }, timeoutMs)
}

async function admitSlowly(
  link: Link,
  facts: { address: () => string; isProxied: boolean; context: SecureContext | undefined },
  timeoutMs: number,
): Promise<Admitted | NotAdmitted> {
  let { address } = facts
  if (facts.isProxied) {
    const header = await readProxyHeader(link, timeoutMs)
    if (header.kind !== 'header') return header
    const told = header.address
    if (told !== undefined) address = () => told
  }
  if (facts.context && !(await acceptTls(link, facts.context, timeoutMs)))
    return { kind: 'refused', reason: 'tls-handshake' }
  return { kind: 'admitted', link, address, secure: facts.context !== undefined }
}

function readProxyHeader(
  link: Link,
  timeoutMs: number,
): Promise<{ kind: 'header'; address: string | undefined } | NotAdmitted> {
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
        link.unread(bytes.subarray(header.length))
        resolve({ kind: 'header', address: header.address })
      },
      onDrain() {},
      onEnd() {
        clearTimeout(timer)
        resolve({ kind: 'gone' })
      },
    }
  })
}
