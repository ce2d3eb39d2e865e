/** The TLS material of a whole configuration, read in one go: all of it is usable, or every mistake is told. */
import type { EdgeConfig } from '@imapfleet/config'
import type { SecureContext } from 'node:tls'
import { EdgeError } from '../errors.ts'
import { listenerTlsContext } from '../net/tls.ts'
import { serverTlsContext } from '../server/tls.ts'

/** By name; none where no TLS is spoken. */
export interface Certificates {
  readonly listeners: ReadonlyMap<string, SecureContext>
  readonly upstreams: ReadonlyMap<string, SecureContext>
}

/** Throws `tls_unreadable`, a line for each file that cannot be used. */
export function readCertificates({ listeners, upstreams }: EdgeConfig): Certificates {
  const wrong: string[] = []
  const read = <C>(of: Record<string, C>, make: (name: string, config: C) => SecureContext | undefined) => {
    const contexts = new Map<string, SecureContext>()
    for (const [name, config] of Object.entries(of))
      try {
        const context = make(name, config)
        if (context) contexts.set(name, context)
      } catch (error) {
        if (!(error instanceof EdgeError)) throw error
        wrong.push(error.message)
      }
    return contexts
  }
  const certificates = {
    listeners: read(listeners, listenerTlsContext),
    upstreams: read(upstreams, serverTlsContext),
  }
  if (wrong.length > 0) throw new EdgeError('tls_unreadable', wrong.join('\n'))
  return certificates
}
