/**
 * TLS to NATS and Postgres: the trusted authorities, and the client certificate. Both libraries give Node a socket
 * without a host name, so that Node would verify a server that is configured by its address as `localhost`. Here it is
 * verified by its address.
 */
import { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { checkServerIdentity, createSecureContext, type PeerCertificate } from 'node:tls'

/** Contents of PEM files. */
export interface Pem {
  /** Trusted instead of the authorities of the system. */
  ca?: string | undefined
  cert?: string | undefined
  key?: string | undefined
}

export interface ClientTls {
  ca?: string
  cert?: string
  key?: string
  checkServerIdentity: (host: string, certificate: PeerCertificate) => Error | undefined
}

/** `hosts`: names and addresses of the servers, as configured. */
export function clientTls(hosts: readonly string[], pem: Pem): ClientTls {
  const given = Object.fromEntries(Object.entries(pem).filter(([, text]) => text !== undefined))
  return {
    ...given,
    checkServerIdentity: (host, certificate) => {
      const meant = host === 'localhost' ? hosts.filter((each) => each === host || isIP(each) !== 0) : [host]
      const errors = (meant.length > 0 ? meant : [host]).map((each) => checkServerIdentity(each, certificate))
      return errors.includes(undefined) ? undefined : errors[0]
    },
  }
}

/** Node accepts any text as authorities, and then trusts no server. */
export function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0
  } catch {
    return false
  }
}

/** Why a certificate and a key cannot be used. Undefined: they can. */
export function pairProblem(cert: string, key: string): string | undefined {
  try {
    createSecureContext({ cert, key })
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

/** `nats://host:4222`, `host:4222`, `[::1]:4222` → the host. */
export const hostOf = (server: string): string =>
  (URL.parse(server.includes('://') ? server : `nats://${server}`)?.hostname ?? '').replace(/^\[|\]$/g, '')
