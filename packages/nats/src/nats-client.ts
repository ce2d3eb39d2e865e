/**
 * The connection of a process to NATS. It connects in the background for as long as the process runs, reports when it is
 * up and why it is down, and stops immediately, also while it is down. "The library" is nats.js, which it uses.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { jetstream, jetstreamManager, type JetStreamClient, type JetStreamManager } from '@nats-io/jetstream'
import { connect, type NatsConnection, type NodeConnectionOptions } from '@nats-io/transport-node'
import { connectOptions, type NatsAccess } from './access.ts'
import { downReasonOf, isLoginRefusal } from './errors.ts'

export interface NatsHandles {
  nats: NatsConnection
  jetstream: JetStreamClient
  manager: JetStreamManager
}

export interface NatsClientHandlers {
  /** A new connection, before it counts as up: subscribe here. The library renews subscriptions when it reconnects. */
  opened?: (handles: NatsHandles) => void
  /** After each connect and reconnect. The connection counts as up when this resolves. If it rejects, it is called again. */
  prepare?: (handles: NatsHandles) => Promise<void>
  /** Up, for the first time or again. The next change of the connection is handled after this resolves. */
  up: (handles: NatsHandles) => Promise<void> | void
  /** Down, or still down for another reason. */
  down: (reason: string) => void
  /** NATS refused a publish or a subscription. The library reports this nowhere else. */
  refused: (error: Error) => void
  /** The reason that operators see if NATS refuses the login. `message` is from NATS. */
  explainRefusal: (message: string) => string
}

export interface NatsClientSettings {
  /** Shown by NATS's monitoring. */
  name: string
  /** Prefix of subjects for replies. */
  inboxPrefix?: string
  /** Pause between attempts while NATS refuses the login; 1 second if unset. */
  refusedRetryMs?: number
}

const retryMs = 1_000

export class NatsClient {
  readonly #options: NodeConnectionOptions
  readonly #access: NatsAccess
  readonly #handlers: NatsClientHandlers
  readonly #refusedRetryMs: number
  readonly #stopping = new AbortController()
  #running: Promise<void> = Promise.resolve()
  #connection: NatsConnection | undefined
  #handles: NatsHandles | undefined
  #reason: string | undefined = 'not connected yet'
  /** The first refusal since it was last up. After a login is revoked, later refusals say less. */
  #refusal: string | undefined

  constructor(
    access: NatsAccess,
    { name, inboxPrefix, refusedRetryMs = retryMs }: NatsClientSettings,
    handlers: NatsClientHandlers,
  ) {
    this.#access = access
    this.#handlers = handlers
    this.#refusedRetryMs = refusedRetryMs
    this.#options = {
      ...connectOptions(access, name),
      reconnectDelayHandler: () => this.#pauseMs,
      ...(inboxPrefix !== undefined && { inboxPrefix }),
    }
  }

  /** Undefined while it is down. */
  get handles(): NatsHandles | undefined {
    return this.#handles
  }

  /** Undefined while it is up. */
  get downReason(): string | undefined {
    return this.#reason
  }

  start(): void {
    this.#running = this.#run()
  }

  /** Resolves when the connection is closed. Waits for a connection attempt that is in progress. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    // Also while it is down: the library would continue to reconnect.
    await this.#connection?.close()
    await this.#running
  }

  /** Connects again whenever a connection is closed. */
  async #run(): Promise<void> {
    while (!this.#isStopping) {
      try {
        this.#connection = await connect(this.#options)
        if (!this.#isStopping) await this.#follow(this.#connection)
      } catch (error) {
        this.#noteRefusal(error)
        this.#down(downReasonOf(error, this.#access.tls))
      }
      await this.#connection?.close()
      await this.#pause()
    }
  }

  /** Follows one connection, which the library reconnects, until it is closed. */
  async #follow(nats: NatsConnection): Promise<void> {
    // Before the preparation, so that changes during it are not missed.
    const changes = nats.status()
    const manager = await jetstreamManager(nats, { checkAPI: false })
    const handles = { nats, jetstream: jetstream(nats), manager }
    this.#handlers.opened?.(handles)
    await this.#bringUp(handles)
    for await (const change of changes) {
      if (change.type === 'disconnect' || change.type === 'staleConnection')
        this.#down('the connection was lost')
      else if (change.type === 'reconnect') await this.#bringUp(handles)
      else if (change.type === 'error' && !this.#noteRefusal(change.error))
        this.#handlers.refused(change.error)
    }
    this.#down('the connection was closed')
  }

  async #bringUp(handles: NatsHandles): Promise<void> {
    while (!handles.nats.isClosed() && !this.#isStopping) {
      try {
        await this.#handlers.prepare?.(handles)
      } catch (error) {
        this.#down(downReasonOf(error))
        await this.#pause()
        continue
      }
      this.#handles = handles
      this.#reason = undefined
      this.#refusal = undefined
      return await this.#handlers.up(handles)
    }
  }

  #down(reason: string): void {
    this.#handles = undefined
    const known = this.#reason
    this.#reason = this.#refusal ?? reason
    if (this.#reason !== known && !this.#isStopping) this.#handlers.down(this.#reason)
  }

  #noteRefusal(error: unknown): boolean {
    if (!isLoginRefusal(error)) return false
    this.#refusal ??= this.#handlers.explainRefusal(error.message)
    return true
  }

  async #pause(): Promise<void> {
    await sleep(this.#pauseMs, undefined, { signal: this.#stopping.signal }).catch(() => {})
  }

  /** With jitter, so that processes that lost the same server do not all reconnect at the same moment. */
  get #pauseMs(): number {
    return (this.#refusal === undefined ? retryMs : this.#refusedRetryMs) * (1 + Math.random() / 4)
  }

  get #isStopping(): boolean {
    return this.#stopping.signal.aborted
  }
}
