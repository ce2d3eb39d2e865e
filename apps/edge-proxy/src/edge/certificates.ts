/** The TLS contexts and certificates of a whole configuration. Either all of them can be used, or every problem is reported. */
import type { EdgeConfig } from '@imapfleet/config'
import type { SecureContext } from 'node:tls'
import { EdgeError } from '../errors.ts'
import { certificateDates, type CertificateDates } from '../net/certificate-dates.ts'
import { listenerTlsContext } from '../net/tls.ts'
import { serverTlsContext } from '../server/tls.ts'

/** By name. A listener or server without TLS is not in it. */
export interface Certificates {
  readonly listeners: ReadonlyMap<string, SecureContext>
  readonly upstreams: ReadonlyMap<string, SecureContext>
  /** Of every certificate that the edge shows to clients, mail servers or NATS. */
  readonly dates: readonly CertificateDates[]
}

/** Throws `tls_unreadable`, with one line for each listener or server whose files cannot be used. */
export function readCertificates({ listeners, upstreams, fleet }: EdgeConfig): Certificates {
  const problems: string[] = []
  const dates: CertificateDates[] = []
  const read = <Config extends { certFile?: string | undefined }>(
    section: string,
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
        problems.push(error.message)
      }
    return contexts
  }
  const ofFleet = fleet.tlsCertFile === undefined ? undefined : certificateDates('fleet', fleet.tlsCertFile)
  if (ofFleet) dates.push(ofFleet)
  const certificates = {
    listeners: read('listeners', listeners, listenerTlsContext),
    upstreams: read('upstreams', upstreams, serverTlsContext),
    dates,
  }
  if (problems.length > 0) throw new EdgeError('tls_unreadable', problems.join('\n'))
  return certificates
}
