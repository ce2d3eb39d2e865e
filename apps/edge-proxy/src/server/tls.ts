/** TLS towards servers: what each connection needs, made once of the files that the configuration names. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import * as tls from 'node:tls'
import type { UpstreamConfig } from '@imapfleet/config'
import { EdgeError } from '../errors.ts'

/** Undefined where no TLS is spoken. Throws `tls_unreadable`. */
export function clientContext(name: string, config: UpstreamConfig): tls.SecureContext | undefined {
  if (config.tls === 'none') return undefined
  try {
    const authorities = [
      ...(config.caFile ? [readFileSync(config.caFile, 'utf8')] : []),
      ...(config.caPath ? authoritiesIn(config.caPath) : []),
    ]
    if (authorities.length === 0) trustThisHost()
    return tls.createSecureContext({
      ...(authorities.length > 0 && { ca: authorities }),
      minVersion: config.minTlsVersion,
      maxVersion: config.maxTlsVersion,
      ...(config.certFile && { cert: readFileSync(config.certFile) }),
      ...(config.keyFile && { key: readFileSync(config.keyFile) }),
      ...(config.ciphers && { ciphers: config.ciphers }),
    })
  } catch (error) {
    throw new EdgeError('tls_unreadable', `upstreams.${name}: ${(error as Error).message}`)
  }
}

/** A directory as OpenSSL has them: what is no certificate, or a link to nothing, is passed over. */
function authoritiesIn(directory: string): string[] {
  return readdirSync(directory)
    .filter((file) => /\.(pem|crt|\d+)$/.test(file))
    .map((file) => join(directory, file))
    .filter((file) => statSync(file, { throwIfNoEntry: false })?.isFile())
    .map((file) => readFileSync(file, 'utf8'))
}

let hostIsTrusted = false

/**
 * The authorities of the operating system beside Node's own, as for every other mail program of the host. Set for the
 * process, because Node reads a list of its own for each context anew (20 ms), and this one once.
 */
function trustThisHost(): void {
  if (hostIsTrusted) return
  hostIsTrusted = true
  // Node 22.18 has no such function, and keeps to its own list.
  if ('setDefaultCACertificates' in tls)
    tls.setDefaultCACertificates([...tls.getCACertificates('default'), ...tls.getCACertificates('system')])
}
