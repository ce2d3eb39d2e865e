/** The configuration in force, and the TLS contexts of its listeners. A reload replaces both as a whole. */
import type { SecureContext } from 'node:tls'
import type { EdgeConfig, ListenerConfig } from '@imapfleet/config'

export class Settings {
  /** The configuration at the start, which decided on ports and open files. */
  readonly atStart: EdgeConfig
  #current: EdgeConfig
  #listenerTls: ReadonlyMap<string, SecureContext>

  /** @param listenerTls by listener name */
  constructor(config: EdgeConfig, listenerTls: ReadonlyMap<string, SecureContext>) {
    this.atStart = config
    this.#current = config
    this.#listenerTls = listenerTls
  }

  get current(): EdgeConfig {
    return this.#current
  }

  replace(config: EdgeConfig, listenerTls: ReadonlyMap<string, SecureContext>): void {
    this.#current = config
    this.#listenerTls = listenerTls
  }

  /** The settings of a listener. If a reload has removed it, those that it was started with. */
  listener(name: string): ListenerConfig {
    return this.#current.listeners[name] ?? this.atStart.listeners[name]!
  }

  /** Undefined: the listener has no TLS. */
  listenerTls(name: string): SecureContext | undefined {
    return this.#listenerTls.get(name)
  }
}
