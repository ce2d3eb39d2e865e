/** The TLS contexts of a whole configuration. Either all of them can be used, or every problem is reported. */
import type { EdgeConfig } from '@imapfleet/config'
import type { SecureContext } from 'node:tls'
import { EdgeError } from '../errors.ts'
import { listenerTlsContext } from '../net/tls.ts'
import { serverTlsContext } from '../server/tls.ts'

/** By name. A listener or server without TLS is not in it. */
export interface Certificates {
  readonly listeners: ReadonlyMap<string, SecureContext>
  readonly upstreams: ReadonlyMap<string, SecureContext>
}

/** Throws `tls_unreadable`, with one line for each listener or server whose files cannot be used. */
export function readCertificates({ listeners, upstreams }: EdgeConfig): Certificates {
  const problems: string[] = []
  const read = <Config>(
    all: Record<string, Config>,
    contextOf: (name: string, config: Config) => SecureContext | undefined,
  ) => {
    const contexts = new Map<string, SecureContext>()
    for (const [name, config] of Object.entries(all))
      try {
        const context = contextOf(name, config)
        if (context) contexts.set(name, context)
      } catch (error) {
        if (!(error instanceof EdgeError)) throw error
        problems.push(error.message)
      }
    return contexts
  }
  const certificates = {
    listeners: read(listeners, listenerTlsContext),
    upstreams: read(upstreams, serverTlsContext),
  }
  if (problems.length > 0) throw new EdgeError('tls_unreadable', problems.join('\n'))
  return certificates
}
