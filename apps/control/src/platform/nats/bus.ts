/**
 * The connection to NATS. It ensures after each connect that our streams exist, and lets callers wait for it. The
 * other files of this folder define what is sent and received.
 */
import { JetStreamApiError } from '@nats-io/jetstream'
import type { KV } from '@nats-io/kv'
import { NatsClient, type NatsHandles, type NatsAccess } from '@imapfleet/nats'
import type { Log } from '@imapfleet/observe'
import { ServiceError } from '../errors.ts'
import { Outage } from '../outage.ts'
import { ensureStreams, reviveIngest, type StreamLimits } from './streams.ts'

export interface BusOptions {
  access: NatsAccess
  limits: StreamLimits
}

/** What can be used while NATS is up. */
export interface BusLink extends NatsHandles {
  desired: KV
}

export class Bus {
  readonly options: BusOptions
  readonly #nats: NatsClient
  readonly #outage: Outage
  /** NATS answers, and makes no streams. Nothing works then either. */
  readonly #refusal: Outage
  readonly #closing = new AbortController()
  /** The bucket of desired states. Set before the link is up. */
  #desired: KV | undefined
  #waiting: (() => void)[] = []
  #connects = 0
  /** The first report in the stream, if the consumer of ingest seemed to be stuck at the last repair. */
  #stuckAt: number | undefined

  constructor(options: BusOptions, log: Log) {
    this.options = options
    this.#outage = new Outage(log, 'NATS is unavailable', 'NATS is available again')
    this.#refusal = new Outage(log, 'NATS makes no streams', 'NATS has the streams')
    this.#nats = new NatsClient(
      options.access,
      { name: 'imapfleet-control' },
      {
        prepare: async ({ manager, jetstream }) => {
          try {
            this.#desired = await ensureStreams(manager, jetstream, options.limits)
            this.#refusal.over()
          } catch (error) {
            if (error instanceof JetStreamApiError) this.#refusal.began(error)
            throw error
          }
        },
        up: () => {
          this.#connects += 1
          this.#outage.over()
          for (const resolve of this.#waiting.splice(0)) resolve()
        },
        down: (reason) => {
          if (reason !== this.#refusal.reason) this.#outage.began(reason)
        },
        refused: (error) => log.warn('NATS refused a request', { reason: error.message }),
        explainRefusal: (message) =>
          `it refuses control (${message}): check NATS_CREDENTIALS_FILE or NATS_TOKEN_FILE`,
      },
    )
  }

  /** Connects, and reconnects until `close`. */
  open(): void {
    this.#nats.start()
  }

  /** How often NATS came up. The next connection may be to a server with another store. */
  get connects(): number {
    return this.#connects
  }

  /** Throws bus_unavailable while NATS is down. */
  link(): BusLink {
    const link = this.#link
    if (link) return link
    throw new ServiceError('bus_unavailable', `NATS cannot be used (${this.#nats.downReason}).`)
  }

  /** Resolves when NATS is up; rejects when the signal is aborted. */
  async whenUp(signal: AbortSignal): Promise<BusLink> {
    for (;;) {
      const link = this.#link
      if (link) return link
      await this.nextUp(signal)
    }
  }

  /** Resolves at the next connect; rejects when the signal is aborted. */
  async nextUp(signal: AbortSignal): Promise<void> {
    const stop = AbortSignal.any([signal, this.#closing.signal])
    stop.throwIfAborted()
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#waiting.push(resolve)
    const giveUp = () => reject(stop.reason as Error)
    stop.addEventListener('abort', giveUp, { once: true })
    await promise.finally(() => stop.removeEventListener('abort', giveUp))
  }

  /** Resolves if NATS answers, and throws otherwise. It does not resolve while NATS hangs. */
  async ping(): Promise<void> {
    await this.link().nats.flush()
  }

  /** Repairs the streams after NATS was killed or lost its store. */
  async repair(): Promise<void> {
    const { manager, jetstream } = this.link()
    await ensureStreams(manager, jetstream, this.options.limits)
    this.#stuckAt = await reviveIngest(manager, this.#stuckAt)
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await this.#nats.stop()
  }

  get #link(): BusLink | undefined {
    const handles = this.#nats.handles
    return handles && this.#desired && { ...handles, desired: this.#desired }
  }
}
