/**
 * The link to NATS: connects for ever, makes sure that our streams are there each time it has connected, and knows
 * whether it is up. The other files of this folder say what is sent and heard over it.
 */
import { jetstream, jetstreamManager, type JetStreamClient, type JetStreamManager } from '@nats-io/jetstream'
import type { KV } from '@nats-io/kv'
import { connect, type NatsConnection } from '@nats-io/transport-node'
import { setTimeout as sleep } from 'node:timers/promises'
import { tlsTrouble } from '@imapfleet/config/tls'
import type { Log } from '@imapfleet/observe'
import { ServiceError } from '../errors.ts'
import { Outage } from '../outage.ts'
import { reasonOf } from '../reason.ts'
import { connectOptions, retryMs, type BusOptions } from './connect-options.ts'
import { ensureStreams, sweepReports } from './streams.ts'

/** What can be used while NATS is there. */
export interface Link {
  nats: NatsConnection
  jetstream: JetStreamClient
  manager: JetStreamManager
  desired: KV
}

export class Bus {
  readonly options: BusOptions
  readonly #log: Log
  readonly #outage: Outage
  readonly #closing = new AbortController()
  #running: Promise<void> = Promise.resolve()
  #up: Link | undefined
  #waiting: (() => void)[] = []

  constructor(options: BusOptions, log: Log) {
    this.options = options
    this.#log = log
    this.#outage = new Outage(log, 'NATS is away', 'NATS is back')
  }

  /** Connects, from now on and for ever. */
  open(): void {
    this.#running = this.#run()
  }

  /** Throws bus_unavailable while NATS is away. */
  link(): Link {
    if (this.#up) return this.#up
    const reason = this.#outage.reason ?? 'not connected yet'
    throw new ServiceError(
      'bus_unavailable',
      `NATS does not answer (${reason}): start it, or check NATS_URL.`,
    )
  }

  /** Waits until NATS is there; rejects when the signal is aborted. */
  async whenUp(signal: AbortSignal): Promise<Link> {
    while (!this.#up) await this.nextUp(signal)
    return this.#up
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

  /** Puts right what a NATS that was killed, or has lost its store, has left behind. */
  async mend(): Promise<void> {
    const { manager, jetstream: client } = this.link()
    await ensureStreams(manager, client, this.options.limits)
    await sweepReports(manager)
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await this.#running
  }

  /** The whole life of the link: one connection after the other. */
  async #run(): Promise<void> {
    const { signal } = this.#closing
    while (!signal.aborted) {
      try {
        const nats = await connect(connectOptions(this.options))
        if (signal.aborted) return await nats.close()
        signal.addEventListener('abort', () => void nats.close(), { once: true })
        await this.#live(nats)
      } catch (error) {
        this.#outage.began(tlsTrouble(error, this.options.tls) ?? error)
      }
      this.#up = undefined
      await sleep(retryMs, undefined, { signal }).catch(() => {})
    }
  }

  /** One connection, with all of the client's own reconnects, until it is closed for good. */
  async #live(nats: NatsConnection): Promise<void> {
    // Asked for first, so that no change is missed while the streams are made.
    const changes = nats.status()
    await this.#prepare(nats)
    for await (const change of changes) {
      if (change.type === 'disconnect' || change.type === 'staleConnection') {
        this.#up = undefined
        if (!this.#closing.signal.aborted) this.#outage.began('the connection is lost')
      }
      if (change.type === 'reconnect') await this.#prepare(nats)
      if (change.type === 'error')
        this.#log.warn('NATS refused something', { reason: reasonOf(change.error) })
    }
  }

  /** Up is: connected, and all streams are there. Tried until it works or the connection is closed. */
  async #prepare(nats: NatsConnection): Promise<void> {
    const { signal } = this.#closing
    while (!nats.isClosed() && !signal.aborted) {
      try {
        const client = jetstream(nats)
        const manager = await jetstreamManager(nats)
        const desired = await ensureStreams(manager, client, this.options.limits)
        this.#up = { nats, jetstream: client, manager, desired }
        this.#outage.over()
        for (const resolve of this.#waiting.splice(0)) resolve()
        return
      } catch (error) {
        this.#outage.began(explain(error))
        await sleep(retryMs, undefined, { signal }).catch(() => {})
      }
    }
  }
}

function explain(error: unknown): string {
  const reason = reasonOf(error)
  return /jetstream.*not enabled/i.test(reason)
    ? 'JetStream is not enabled: start nats-server with -js'
    : reason
}
