/**
 * The connection of a process to NATS: connects in the background for as long as the process runs, reports when it is up
 * and why it is down, and stops at once, also while it is down.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { jetstream, jetstreamManager, type JetStreamClient, type JetStreamManager } from '@nats-io/jetstream'
import { connect, type NatsConnection, type NodeConnectionOptions } from '@nats-io/transport-node'
import { connectOptions, type NatsAccess } from './access.ts'
import { awayReason, isLoginRefusal } from './errors.ts'

export interface NatsHandles {
  nats: NatsConnection
  jetstream: JetStreamClient
  manager: JetStreamManager
}

export interface LinkHandlers {
  /** A new connection, before it counts as up: subscribe here. The client renews subscriptions when it reconnects. */
  opened?: (handles: NatsHandles) => void
  /** After each connect and reconnect. The link is up when this resolves, and tries again if it rejects. */
  prepare?: (handles: NatsHandles) => Promise<void>
  /** The link is up, for the first time or again. The next change of the connection is handled when this resolves. */
  up: (handles: NatsHandles) => Promise<void> | void
  /** The link is down, or still down for another reason. */
  down: (reason: string) => void
  /** NATS refused a publish or a subscription; the client reports it nowhere else. */
  refused: (error: Error) => void
  /** What an operator reads if NATS refuses the login. `message`: what NATS said. */
  explainRefusal: (message: string) => string
}

export interface LinkSettings {
  /** Shown by NATS's monitoring. */
  name: string
  /** Prefix of subjects for replies. */
  inboxPrefix?: string
  /** Pause between attempts while NATS refuses the login; 1 second if unset. */
  refusedRetryMs?: number
}

const retryMs = 1_000

export class NatsLink {
  readonly #options: NodeConnectionOptions
  readonly #access: NatsAccess
  readonly #handlers: LinkHandlers
  readonly #refusedRetryMs: number
  readonly #stopping = new AbortController()
  #running: Promise<void> = Promise.resolve()
  #connection: NatsConnection | undefined
  #handles: NatsHandles | undefined
  #reason: string | undefined = 'not connected yet'
  /** The first refusal since the link was last up. Once a login is revoked, later ones say less. */
  #refusal: string | undefined

  constructor(
    access: NatsAccess,
    { name, inboxPrefix, refusedRetryMs = retryMs }: LinkSettings,
    handlers: LinkHandlers,
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

  /** Undefined while the link is down. */
  get handles(): NatsHandles | undefined {
    return this.#handles
  }

  /** Why the link is down; undefined while it is up. */
  get downReason(): string | undefined {
    return this.#reason
  }

  start(): void {
    this.#running = this.#run()
  }

  /** Resolves when the connection is closed. An attempt to connect that is under way is waited for. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    // Also while the link is down: the client would go on reconnecting.
    await this.#connection?.close()
    await this.#running
  }

  /** One connection after the other. */
  async #run(): Promise<void> {
    while (!this.#isStopping) {
      try {
        this.#connection = await connect(this.#options)
        if (!this.#isStopping) await this.#follow(this.#connection)
      } catch (error) {
        this.#noteRefusal(error)
        this.#down(awayReason(error, this.#access.tls))
      }
      await this.#connection?.close()
      await this.#pause()
    }
  }

  /** One connection with the client's own reconnects, until it is closed. */
  async #follow(nats: NatsConnection): Promise<void> {
    // Opened first, so that changes during the preparation are not missed.
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
        this.#down(awayReason(error))
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

  /** With jitter: processes that lost the same server do not all reconnect at the same moment. */
  get #pauseMs(): number {
    return (this.#refusal === undefined ? retryMs : this.#refusedRetryMs) * (1 + Math.random() / 4)
  }

  get #isStopping(): boolean {
    return this.#stopping.signal.aborted
  }
}
