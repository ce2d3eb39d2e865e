/** TLS with clients: the context of a listener from its certificate files, and the handshake on an open link. */
import { readFileSync } from 'node:fs'
import { createSecureContext, TLSSocket, type SecureContext } from 'node:tls'
import type { ListenerConfig } from '@imapfleet/config'
import { EdgeError } from '../errors.ts'
import type { Link } from './link.ts'
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
    throw new EdgeError('tls_unreadable', `listeners.${name}: ${reason}`)
  }
}

/** Starts TLS on the link. False: the handshake failed or took too long, and the link is closed. */
export function acceptTls(link: Link, context: SecureContext, timeoutMs: number): Promise<boolean> {
  const raw = link.detach()
  const secure = new TLSSocket(raw, { isServer: true, secureContext: context })
  return new Promise((resolve) => {
    const settle = (ok: boolean) => {
      clearTimeout(timer)
      secure.off('secure', onSecure).off('error', onFailure).off('close', onFailure)
      raw.off('error', onFailure)
      if (ok) link.attach(overSocket(secure))
      else {
        secure.on('error', () => {})
        secure.destroy()
        raw.destroy()
        link.close()
      }
      resolve(ok)
    }
    const onSecure = () => settle(true)
    const onFailure = () => settle(false)
    const timer = setTimeout(onFailure, timeoutMs)
    secure.on('secure', onSecure).on('error', onFailure).on('close', onFailure)
    raw.on('error', onFailure)
  })
}
