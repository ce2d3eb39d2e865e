/** Reads the TLS contexts and certificates of a configuration. If some cannot be used, all problems are reported. */
import type { EdgeConfig } from '@imapfleet/config'
import type { SecureContext } from 'node:tls'
import { EdgeError } from '../errors.ts'
import { certificateDates, type CertificateDates } from '../net/certificate-dates.ts'
import { listenerTlsContext } from '../net/tls.ts'
import { serverTlsContext } from '../server/tls.ts'
import { haveSameValues } from './same-values.ts'

/** TLS contexts by name. Listeners and servers without TLS have none. */
export interface Certificates {
  readonly listeners: ReadonlyMap<string, SecureContext>
  readonly upstreams: ReadonlyMap<string, SecureContext>
  /** Validity of every certificate that the edge presents to clients, mail servers or NATS. */
  readonly dates: readonly CertificateDates[]
  /** Why some files could not be read again. Their earlier contents are used. */
  readonly unread: readonly string[]
}

/** A configuration, and the certificates that were read for it. */
export interface CertificatesInForce {
  config: EdgeConfig
  certificates: Certificates
}

/**
 * Throws `tls_unreadable`, with one line for each listener or server whose files cannot be used.
 * @param inForce used for a listener or server with the same settings whose files cannot be read now
 */
export function readCertificates(edgeConfig: EdgeConfig, inForce?: CertificatesInForce): Certificates {
  const { listeners, upstreams, fleet } = edgeConfig
  const problems: EdgeError[] = []
  const unread: string[] = []
  const dates: CertificateDates[] = []
  const keep = (error: EdgeError, section: 'listeners' | 'upstreams', name: string) => {
    if (!inForce || !haveSameValues(error.keys, edgeConfig, inForce.config)) return undefined
    const kept = inForce.certificates[section].get(name)
    if (!kept) return undefined
    unread.push(error.message)
    dates.push(...inForce.certificates.dates.filter(({ owner }) => owner === `${section}.${name}`))
    return kept
  }
  const read = <Config extends { certFile?: string | undefined }>(
    section: 'listeners' | 'upstreams',
    all: Record<string, Config>,
    contextOf: (name: string, config: Config) => SecureContext | undefined,
  ) => {
    const contexts = new Map<string, SecureContext>()
    for (const [name, config] of Object.entries(all))
      try {
        const context = contextOf(name, config)
        if (!context) continue
        contexts.set(name, context)
        const found = config.certFile && certificateDates(`${section}.${name}`, config.certFile)
        if (found) dates.push(found)
      } catch (error) {
        if (!(error instanceof EdgeError)) throw error
        const kept = keep(error, section, name)
        if (kept) contexts.set(name, kept)
        else problems.push(error)
      }
    return contexts
  }
  const ofFleet = fleet.tlsCertFile === undefined ? undefined : certificateDates('fleet', fleet.tlsCertFile)
  if (ofFleet) dates.push(ofFleet)
  const certificates = {
    listeners: read('listeners', listeners, listenerTlsContext),
    upstreams: read('upstreams', upstreams, serverTlsContext),
    dates,
    unread,
  }
  if (problems.length > 0)
    throw new EdgeError(
      'tls_unreadable',
      problems.map(({ message }) => message).join('\n'),
      problems.flatMap(({ keys }) => keys),
    )
  return certificates
}
