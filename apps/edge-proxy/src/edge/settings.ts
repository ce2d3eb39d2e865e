/** The configuration in force, the TLS contexts of its listeners, and its certificates. A reload replaces all of it as a whole. */
import type { SecureContext } from 'node:tls'
import type { EdgeConfig, ListenerConfig } from '@imapfleet/config'
import {
  certificateProblem,
  type CertificateDates,
  type CertificateProblem,
} from '../net/certificate-dates.ts'
import type { Certificates } from './certificates.ts'

export class Settings {
  /** The configuration at the start, which decided on ports and open files. */
  readonly atStart: EdgeConfig
  #current: EdgeConfig
  /** Those in force, by name. */
  readonly #listeners: Map<string, ListenerConfig>
  #certificates: Certificates

  constructor(config: EdgeConfig, certificates: Certificates) {
    this.atStart = config
    this.#current = config
    this.#listeners = new Map(Object.entries(config.listeners))
    this.#certificates = certificates
  }

  get current(): EdgeConfig {
    return this.#current
  }

  /** Those in force. */
  get certificates(): Certificates {
    return this.#certificates
  }

  replace(config: EdgeConfig, certificates: Certificates): void {
    const { listeners, dates } = this.#certificates
    const contexts = new Map(certificates.listeners)
    const owners = new Set<string>()
    for (const [name, present] of this.#listeners) {
      const next = config.listeners[name]
      if (next?.tls === present.tls) this.#listeners.set(name, next)
      else {
        this.#listeners.set(name, { ...present, ...next, ...tlsOf(present) })
        const context = listeners.get(name)
        if (context) contexts.set(name, context)
        else contexts.delete(name)
        owners.add(`listeners.${name}`)
      }
    }
    this.#current = config
    this.#certificates = {
      ...certificates,
      listeners: contexts,
      dates: [
        ...certificates.dates.filter(({ owner }) => !owners.has(owner)),
        ...dates.filter(({ owner }) => owners.has(owner)),
      ],
    }
  }

  /**
   * The settings of a listener. If a reload has removed it or changed its `tls`, which takes effect after a restart, TLS
   * stays as it is.
   */
  listener(name: string): ListenerConfig {
    return this.#listeners.get(name)!
  }

  /** Undefined: the listener has no TLS. */
  listenerTls(name: string): SecureContext | undefined {
    return this.#certificates.listeners.get(name)
  }

  /** When the certificates that the edge shows are valid. */
  get certificateDates(): readonly CertificateDates[] {
    return this.#certificates.dates
  }

  /** Present problems, and those that are expected soon. */
  certificateProblems(wall: number): CertificateProblem[] {
    return this.certificateDates.flatMap((dates) => certificateProblem(dates, wall) ?? [])
  }
}

/** The keys that make no sense without the value of `tls`. */
const tlsOf = ({ tls, requireTls, certFile, keyFile, minTlsVersion, ciphers }: ListenerConfig) => ({
  tls,
  requireTls,
  certFile,
  keyFile,
  minTlsVersion,
  ciphers,
})
