/**
 * Handles an accepted connection until IMAP can begin: gives it a place within the limits, reads the PROXY header and completes
 * TLS, if the listener requires them.
 */
import type { SecureContext } from 'node:tls'
import type { ListenerConfig } from '@imapfleet/config'
import { runtime } from '../runtime.ts'
import type { ClientAdmission, ClientLimits, Place, Dismissal } from './client-admission.ts'
import { startDeadline } from './deadline.ts'
import type { Link } from './link.ts'
import { networksContain, plainAddress } from './networks.ts'
import { parseProxyHeader } from './proxy-header.ts'
import { acceptTls } from './tls.ts'

export interface AcceptedClient {
  kind: 'accepted'
  link: Link
  place: Place
  /** The client's address, from the PROXY header if the peer may send one. The first call makes a system call. */
  address: () => string
  secure: boolean
}

/** The link is closed, by the peer (`gone`) or by the edge (`refused`). */
export type NotAccepted =
  | { kind: 'gone' }
  | {
      kind: 'refused'
      reason: Dismissal | 'too-many-clients' | 'too-many-from-address' | 'proxy-header' | 'tls-handshake'
    }

/** What a listener requires of its clients. */
export interface Entrance {
  listener: string
  config: ListenerConfig
  context: SecureContext | undefined
  admission: ClientAdmission
  limits: ClientLimits
}

/** Synchronous if neither a PROXY header nor TLS is required. Otherwise both must complete within `timeoutMs`. */
export function acceptClient(
  link: Link,
  entrance: Entrance,
  timeoutMs: number,
): AcceptedClient | NotAccepted | Promise<AcceptedClient | NotAccepted> {
  const { listener, config, admission, limits } = entrance
  const address = () => plainAddress(link.remoteAddress)
  const isProxied =
    config.proxyProtocolFrom.length > 0 && networksContain(config.proxyProtocolFrom, address())
  const place = admission.enter(listener, isProxied ? undefined : address, limits)
  if (typeof place === 'string') {
    refuseLink(link, entrance, tooMany)
    return { kind: 'refused', reason: place }
  }
  link.whenClosed(() => admission.leave(place))
  if (!isProxied && !startsWithTls(entrance)) return { kind: 'accepted', link, place, address, secure: false }
  return acceptSlowly({ link, place, address, isProxied }, entrance, runtime.now() + timeoutMs)
}

export const tooMany = 'Too many connections, try again later'

/** Closes a connection that is not admitted. Sends BYE unless the connection begins with TLS. */
export function refuseLink(link: Link, entrance: Pick<Entrance, 'config' | 'context'>, reason: string): void {
  if (!startsWithTls(entrance)) link.write(`* BYE ${reason}\r\n`)
  link.closeWhenWritten(1000)
}

const startsWithTls = ({ config, context }: Pick<Entrance, 'config' | 'context'>): boolean =>
  config.tls === 'implicit' && context !== undefined

/** @param until from runtime.now() */
async function acceptSlowly(
  client: { link: Link; place: Place; address: () => string; isProxied: boolean },
  entrance: Entrance,
  until: number,
): Promise<AcceptedClient | NotAccepted> {
  const { link, place, isProxied } = client
  let { address } = client
  const context = startsWithTls(entrance) ? entrance.context : undefined
  if (isProxied) {
    const header = await readProxyHeader(link, place, until - runtime.now())
    if (header.kind !== 'header') return header
    const { address: proxied } = header
    if (proxied !== undefined) {
      address = () => proxied
      if (!entrance.admission.identify(place, address, entrance.limits)) {
        refuseLink(link, entrance, tooMany)
        return { kind: 'refused', reason: 'too-many-from-address' }
      }
    }
  }
  if (context) {
    let dismissed: Dismissal | undefined
    place.occupant = {
      dismiss(why) {
        dismissed = why
        link.close()
      },
      cut: () => link.abort(),
    }
    const result = await acceptTls(link, context, until - runtime.now())
    if (dismissed !== undefined) return { kind: 'refused', reason: dismissed }
    if (result === 'gone') return { kind: 'gone' }
    if (result === 'failed') return { kind: 'refused', reason: 'tls-handshake' }
  }
  return { kind: 'accepted', link, place, address, secure: context !== undefined }
}

function readProxyHeader(
  link: Link,
  place: Place,
  timeoutMs: number,
): Promise<{ kind: 'header'; address: string | undefined } | NotAccepted> {
  return new Promise((resolve) => {
    let bytes = Buffer.alloc(0)
    const end = (result: NotAccepted) => {
      cancelDeadline()
      link.close()
      resolve(result)
    }
    const refuse = (reason: Dismissal | 'proxy-header') => end({ kind: 'refused', reason })
    const cancelDeadline = startDeadline(timeoutMs, () => refuse('proxy-header'))
    place.occupant = { dismiss: refuse, cut: () => end({ kind: 'gone' }) }
    link.handler = {
      onData(chunk) {
        bytes = Buffer.concat([bytes, chunk])
        const header = parseProxyHeader(bytes)
        if (header.kind === 'more') return
        if (header.kind === 'bad') return refuse('proxy-header')
        cancelDeadline()
        link.unshift(bytes.subarray(header.length))
        const { address } = header
        resolve({ kind: 'header', address: address === undefined ? undefined : plainAddress(address) })
      },
      onEnd: () => end({ kind: 'gone' }),
    }
  })
}
