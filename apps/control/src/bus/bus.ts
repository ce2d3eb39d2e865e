/**
 * The connection to NATS: makes sure that our streams are there each time it is up, and lets others wait until it is. The
 * other files of this folder say what is sent and received over it.
 */
import type { KV } from '@nats-io/kv'
import { NatsLink, type NatsHandles, type NatsAccess } from '@imapfleet/nats'
import type { Log } from '@imapfleet/observe'
import { ServiceError } from '../errors.ts'
import { Outage } from '../outage.ts'
import { ensureStreams, sweepReports, type StreamLimits } from './streams.ts'

export interface BusOptions {
  access: NatsAccess
  limits: StreamLimits
}

/** What can be used while NATS is there. */
export interface BusLink extends NatsHandles {
  desired: KV
}

export class Bus {
  readonly options: BusOptions
  readonly #nats: NatsLink
  readonly #outage: Outage
  readonly #closing = new AbortController()
  /** The bucket of desired states; set before the link is up. */
  #desired: KV | undefined
  #waiting: (() => void)[] = []

  constructor(options: BusOptions, log: Log) {
    this.options = options
    this.#outage = new Outage(log, 'NATS is unavailable', 'NATS is available again')
    this.#nats = new NatsLink(
      options.access,
      { name: 'imapfleet-control' },
      {
        prepare: async ({ manager, jetstream }) => {
          this.#desired = await ensureStreams(manager, jetstream, options.limits)
        },
        up: () => {
          this.#outage.over()
          for (const resolve of this.#waiting.splice(0)) resolve()
        },
        down: (reason) => this.#outage.began(reason),
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

  /** Throws bus_unavailable while NATS is away. */
  link(): BusLink {
    const link = this.#link
    if (link) return link
    throw new ServiceError(
      'bus_unavailable',
      `NATS does not answer (${this.#nats.downReason}): start it, or check NATS_URL.`,
    )
  }

  /** Waits until NATS is there; rejects when the signal is aborted. */
  async whenUp(signal: AbortSignal): Promise<BusLink> {
    for (;;) {
      const link = this.#link
      if (link) return link
      await this.nextUp(signal)
    }
  }

  /** Waits until NATS has come, or come back, once more; rejects when the signal is aborted. */
  async nextUp(signal: AbortSignal): Promise<void> {
    const stop = AbortSignal.any([signal, this.#closing.signal])
    stop.throwIfAborted()
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#waiting.push(resolve)
    const giveUp = () => reject(stop.reason as Error)
    stop.addEventListener('abort', giveUp, { once: true })
    await promise.finally(() => stop.removeEventListener('abort', giveUp))
  }

  /** Answers, or throws; a NATS that hangs leaves it waiting. */
  async ping(): Promise<void> {
    await this.link().nats.flush()
  }

  /** Repairs what a NATS that was killed, or has lost its store, has left behind. */
  async repair(): Promise<void> {
    const { manager, jetstream } = this.link()
    await ensureStreams(manager, jetstream, this.options.limits)
    await sweepReports(manager)
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
