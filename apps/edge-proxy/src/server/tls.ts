/** Creates the TLS context of a server from the files in its configuration. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import * as tls from 'node:tls'
import type { UpstreamConfig } from '@imapfleet/config'
import { isCertificate } from '@imapfleet/nats/tls'
import { EdgeError } from '../errors.ts'

const tlsKeys = [
  'tls',
  'caFile',
  'caPath',
  'certFile',
  'keyFile',
  'minTlsVersion',
  'maxTlsVersion',
  'ciphers',
] as const satisfies (keyof UpstreamConfig)[]

/** Undefined: the server is configured without TLS. Throws `tls_unreadable`. */
export function serverTlsContext(name: string, config: UpstreamConfig): tls.SecureContext | undefined {
  if (config.tls === 'none') return undefined
  try {
    const authorities = [
      ...(config.caFile ? [authorityIn(config.caFile)] : []),
      ...(config.caPath ? authoritiesIn(config.caPath) : []),
    ]
    // Instead of the configured authorities, it must not trust all those of the system.
    if (authorities.length === 0 && config.caPath && config.verify)
      throw new Error(`${config.caPath} has no certificate: .pem, .crt, or a name of openssl rehash`)
    if (authorities.length === 0) trustSystemAuthorities()
    return tls.createSecureContext({
      ...(authorities.length > 0 && { ca: authorities }),
      minVersion: config.minTlsVersion,
      maxVersion: config.maxTlsVersion,
      ...(config.certFile && { cert: readFileSync(config.certFile) }),
      ...(config.keyFile && { key: readFileSync(config.keyFile) }),
      ...(config.ciphers && { ciphers: config.ciphers }),
    })
  } catch (error) {
    throw new EdgeError(
      'tls_unreadable',
      `upstreams.${name}: ${(error as Error).message}`,
      tlsKeys.map((key) => `upstreams.${name}.${key}`),
    )
  }
}

/** Throws if the file has none: Node would accept the text, and trust no server. */
function authorityIn(file: string): string {
  const pem = readFileSync(file, 'utf8')
  if (isCertificate(pem)) return pem
  throw new Error(`${file} is not a PEM file with a certificate`)
}

/** The certificates in a directory in OpenSSL's format. Other files and dangling links are skipped. */
function authoritiesIn(directory: string): string[] {
  return readdirSync(directory)
    .filter((file) => /\.(pem|crt|\d+)$/.test(file))
    .map((file) => join(directory, file))
    .filter((file) => statSync(file, { throwIfNoEntry: false })?.isFile())
    .map((file) => readFileSync(file, 'utf8'))
}

let trustsSystem = false

/**
 * Trusts the CAs of the operating system in addition to Node's, like other mail programs on the host. The list is set for the
 * process, because Node parses the list of a context again for each context (20 ms).
 */
function trustSystemAuthorities(): void {
  if (trustsSystem) return
  trustsSystem = true
  // Node 22.18 lacks this function and uses only its own list.
  if ('setDefaultCACertificates' in tls)
    tls.setDefaultCACertificates([...tls.getCACertificates('default'), ...tls.getCACertificates('system')])
}
