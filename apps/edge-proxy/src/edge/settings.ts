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
  #certificates: Certificates

  constructor(config: EdgeConfig, certificates: Certificates) {
    this.atStart = config
    this.#current = config
    this.#certificates = certificates
  }

  get current(): EdgeConfig {
    return this.#current
  }

  replace(config: EdgeConfig, certificates: Certificates): void {
    this.#current = config
    this.#certificates = certificates
  }

  /** The settings of a listener. If a reload has removed it, those that it was started with. */
  listener(name: string): ListenerConfig {
    return this.#current.listeners[name] ?? this.atStart.listeners[name]!
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
