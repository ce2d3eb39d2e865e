/**
 * TLS to NATS and Postgres: which servers are trusted, the certificate shown to them, and the sentence for an error. Both
 * clients hand Node a socket and no host name, so that Node would verify a server that is configured by its address as
 * `localhost`. Here it is verified as the address.
 */
import { isIP } from 'node:net'
import { checkServerIdentity, type PeerCertificate } from 'node:tls'

/** Contents of PEM files. */
export interface Pem {
  /** Authorities to trust instead of those of the system. */
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

/** `hosts`: the names and addresses by which the servers are configured. */
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

/** `nats://host:4222`, `host:4222`, `[::1]:4222` → the host. */
export const hostOf = (server: string): string =>
  (URL.parse(server.includes('://') ? server : `nats://${server}`)?.hostname ?? '').replace(/^\[|\]$/g, '')

const unknownAuthority = /^(UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|CERT_UNTRUSTED)/
const wantsCertificate = /ALERT_(CERTIFICATE_REQUIRED|BAD_CERTIFICATE|HANDSHAKE_FAILURE|UNKNOWN_CA)/

/** The sentence for an error of TLS; undefined for any other error. */
export function describeTlsError(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return `its certificate is for another name (${namesIn(error)})`
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID')
    return `its certificate is not valid now (${error.message})`
  if (unknownAuthority.test(code)) return 'its certificate is not signed by a trusted CA: check the CA file'
  if (wantsCertificate.test(code))
    return 'it requires a client certificate that it trusts: check the certificate file and the key file'
  if (
    code === 'ERR_SSL_WRONG_VERSION_NUMBER' ||
    /before secure TLS connection|does not support 'tls'/.test(error.message)
  )
    return 'it does not support TLS, but TLS is required'
  return undefined
}

function namesIn(error: Error & { cert?: PeerCertificate }): string {
  const { subjectaltname, subject } = error.cert ?? {}
  return subjectaltname ?? `CN:${String(subject?.CN ?? '')}`
}
