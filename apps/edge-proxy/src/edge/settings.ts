/** The configuration in force, the TLS contexts of its listeners, and its certificates. A reload replaces all of them together. */
import type { SecureContext } from 'node:tls'
import type { EdgeConfig, ListenerConfig } from '@imapfleet/config'
import {
  certificateProblem,
  type CertificateDates,
  type CertificateProblem,
} from '../net/certificate-dates.ts'
import type { Certificates } from './certificates.ts'

export class Settings {
  /** The configuration at the start. Some keys, such as ports, apply only at the start. */
  readonly atStart: EdgeConfig
  #current: EdgeConfig
  /** Settings of the listeners in force, by name. */
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

  /** The certificates in force. */
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
   * The settings of a listener. If a reload has removed the listener or changed its `tls`, which takes effect after a restart,
   * its TLS settings stay in force.
   */
  listener(name: string): ListenerConfig {
    return this.#listeners.get(name)!
  }

  /** Undefined: the listener has no TLS. */
  listenerTls(name: string): SecureContext | undefined {
    return this.#certificates.listeners.get(name)
  }

  /** Validity of the certificates that the edge presents. */
  get certificateDates(): readonly CertificateDates[] {
    return this.#certificates.dates
  }

  /** Present problems, and those that are expected soon. */
  certificateProblems(wall: number): CertificateProblem[] {
    return this.certificateDates.flatMap((dates) => certificateProblem(dates, wall) ?? [])
  }
}

/** The keys that depend on `tls`. */
const tlsOf = ({ tls, requireTls, certFile, keyFile, minTlsVersion, ciphers }: ListenerConfig) => ({
  tls,
  requireTls,
  certFile,
  keyFile,
  minTlsVersion,
  ciphers,
})
