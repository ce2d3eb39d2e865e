/** TLS with clients: the context of a listener from its certificate files, and the handshake on an open link. */
import { readFileSync } from 'node:fs'
import { createSecureContext, TLSSocket, type SecureContext } from 'node:tls'
import type { ListenerConfig } from '@imapfleet/config'
import { EdgeError } from '../errors.ts'
import { startDeadline } from './deadline.ts'
import type { Link } from './link.ts'
import { linkEndOf } from './socket-errors.ts'
import { overSocket } from './socket-transport.ts'

/** Undefined: the listener does not use TLS. Throws `tls_unreadable`. */
export function listenerTlsContext(name: string, config: ListenerConfig): SecureContext | undefined {
  const { tls, certFile, keyFile } = config
  if (tls === 'none' || certFile === undefined || keyFile === undefined) return undefined
  try {
    return createSecureContext({
      cert: readFileSync(certFile),
      key: readFileSync(keyFile),
      minVersion: config.minTlsVersion,
      ...(config.ciphers !== undefined && { ciphers: config.ciphers }),
    })
  } catch (error) {
    const reason = `cannot use ${certFile} with ${keyFile}: ${(error as Error).message}`
    const keys = ['tls', 'certFile', 'keyFile', 'minTlsVersion', 'ciphers']
    throw new EdgeError(
      'tls_unreadable',
      `listeners.${name}: ${reason}`,
      keys.map((key) => `listeners.${name}.${key}`),
    )
  }
}

/**
 * Starts TLS on the link. Unless it is `secure`, the link is closed: the peer has ended the connection, or the handshake
 * failed or took too long. Closing the link during the handshake also ends it, as `gone`.
 */
export function acceptTls(
  link: Link,
  context: SecureContext,
  timeoutMs: number,
): Promise<'secure' | 'gone' | 'failed'> {
  const raw = link.detach()
  const secure = new TLSSocket(raw, { isServer: true, secureContext: context })
  return new Promise((resolve) => {
    const settle = (result: 'secure' | 'gone' | 'failed') => {
      cancelDeadline()
      secure.off('secure', onSecure).off('error', onError).off('end', onGone).off('close', onGone)
      raw.off('error', onError)
      if (result === 'secure') link.attach(overSocket(secure))
      else {
        secure.on('error', () => {})
        raw.on('error', () => {})
        secure.destroy()
        raw.destroy()
        link.close()
      }
      resolve(result)
    }
    const onSecure = () => settle('secure')
    const onGone = () => settle('gone')
    const onError = ({ code }: NodeJS.ErrnoException) =>
      settle(linkEndOf(code ?? '') === 'tls-failed' ? 'failed' : 'gone')
    const cancelDeadline = startDeadline(timeoutMs, () => settle('failed'))
    // The peer may close only its sending side. A half-open connection cannot complete TLS, so `end` closes it.
    secure.on('secure', onSecure).on('error', onError).on('end', onGone).on('close', onGone)
    raw.on('error', onError)
  })
}
