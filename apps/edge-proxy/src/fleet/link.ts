/**
 * The edge's line to NATS: connects for ever in the background and tells when it is up. Nothing on the data path waits
 * for it or knows of it.
 */
import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { jetstream, jetstreamManager, type JetStreamClient, type JetStreamManager } from '@nats-io/jetstream'
import { connect, credsAuthenticator, tokenAuthenticator, type NatsConnection } from '@nats-io/transport-node'
import type { EdgeConfig } from '@imapfleet/config'
import { subjects } from '@imapfleet/protocol'
import { EdgeError } from '../errors.ts'
import type { Log } from '../observe/log.ts'

export interface Fleet {
  nats: NatsConnection
  jetstream: JetStreamClient
  manager: JetStreamManager
}

export interface LinkListener {
  /** A new connection: subscribe here, the client renews it by itself. */
  onConnection(fleet: Fleet): void
  /** The link is up, for the first time or again: what was missed meanwhile must be fetched. */
  onUp(fleet: Fleet): Promise<void>
}

const retryMs = 1000

export class FleetLink {
  /** Its files are read once, while the process may still read them, so that a wrong path is told at the start. */
  readonly #options: Parameters<typeof connect>[0]
  readonly #log: Log
  readonly #listener: LinkListener
  readonly #stopping = new AbortController()
  #connection: NatsConnection | undefined
  #fleet: Fleet | undefined
  #trouble: string | undefined = 'not connected yet'
  #running: Promise<void> | undefined

  constructor(config: EdgeConfig, log: Log, listener: LinkListener) {
    this.#options = optionsOf(config)
    this.#log = log
    this.#listener = listener
  }

  /** Undefined while the link is down. */
  get fleet(): Fleet | undefined {
    return this.#fleet
  }

  /** Why the link is down; undefined while it is up. */
  get trouble(): string | undefined {
    return this.#trouble
  }

  start(): void {
    this.#running = this.#run(this.#options)
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    // Also while it is down: the client would try again for ever.
    await this.#connection?.close()
    await this.#running
  }

  async #run(options: Parameters<typeof connect>[0]): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      try {
        const nats = await connect(options)
        this.#connection = nats
        if (this.#stopping.signal.aborted) return await nats.close()
        await this.#live(nats)
      } catch (error) {
        this.#down((error as Error).message)
      }
      await pause(retryMs, undefined, { signal: this.#stopping.signal }).catch(() => {})
    }
  }

  /** One connection, with the client's own reconnects, until it is closed for good. */
  async #live(nats: NatsConnection): Promise<void> {
    const fleet = {
      nats,
      jetstream: jetstream(nats),
      manager: await jetstreamManager(nats, { checkAPI: false }),
    }
    this.#listener.onConnection(fleet)
    await this.#up(fleet)
    for await (const status of nats.status()) {
      if (status.type === 'disconnect' || status.type === 'staleConnection') this.#down('connection lost')
      else if (status.type === 'reconnect') await this.#up(fleet)
      // A refused publish shows up here and nowhere else.
      else if (status.type === 'error') this.#log.warn('fleet_refused', { reason: String(status.error) })
    }
    this.#down('connection closed')
  }

  async #up(fleet: Fleet): Promise<void> {
    this.#fleet = fleet
    this.#trouble = undefined
    this.#log.info('fleet_connected', { server: fleet.nats.getServer() })
    await this.#listener.onUp(fleet)
  }

  #down(reason: string): void {
    if (this.#trouble !== reason && !this.#stopping.signal.aborted) this.#log.warn('fleet_away', { reason })
    this.#trouble = reason
    this.#fleet = undefined
  }
}

function optionsOf({ edge, fleet }: EdgeConfig): Parameters<typeof connect>[0] {
  const { servers, tokenFile, credentialsFile, tlsCaFile } = fleet
  return {
    servers,
    name: `imapfleet-edge ${edge.id}`,
    maxReconnectAttempts: -1,
    reconnectTimeWait: retryMs,
    ignoreAuthErrorAbort: true,
    pingInterval: 10_000,
    // Replies to one edge must not be readable by another: each has an inbox of its own.
    inboxPrefix: subjects.inbox({ edge: edge.id, region: edge.region }),
    ...(tokenFile !== undefined && {
      authenticator: tokenAuthenticator(readSecret(tokenFile).toString().trim()),
    }),
    ...(credentialsFile !== undefined && {
      authenticator: credsAuthenticator(readSecret(credentialsFile)),
    }),
    ...(tlsCaFile !== undefined && { tls: { caFile: tlsCaFile } }),
  }
}

function readSecret(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (error) {
    throw new EdgeError(
      'config_unreadable',
      `fleet: cannot read ${file}: ${(error as NodeJS.ErrnoException).code}`,
    )
  }
}
