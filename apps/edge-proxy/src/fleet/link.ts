/**
 * The edge's line to NATS: connects for ever in the background and tells when it is up. Nothing on the data path waits
 * for it or knows of it.
 */
import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { jetstream, jetstreamManager, type JetStreamClient, type JetStreamManager } from '@nats-io/jetstream'
import {
  connect,
  credsAuthenticator,
  errors,
  tokenAuthenticator,
  type NatsConnection,
} from '@nats-io/transport-node'
import type { EdgeConfig } from '@imapfleet/config'
import { clientTls, hostOf, tlsTrouble } from '@imapfleet/config/tls'
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
/** Longest that one attempt may take; a stop waits for it. */
const attemptMs = 5_000
/** Between attempts while NATS refuses this edge: nothing changes by asking often. */
const refusedRetryMs = 10_000

export class FleetLink {
  /** Its files are read once, while the process may still read them, so that a wrong path is told at the start. */
  readonly #options: Parameters<typeof connect>[0]
  readonly #wayOut: string
  readonly #log: Log
  readonly #listener: LinkListener
  readonly #stopping = new AbortController()
  #connection: NatsConnection | undefined
  #fleet: Fleet | undefined
  #trouble: string | undefined = 'not connected yet'
  /** Why NATS does not let this edge in; undefined where it would. */
  #refusal: string | undefined
  #running: Promise<void> | undefined

  constructor(config: EdgeConfig, log: Log, listener: LinkListener) {
    this.#options = {
      ...optionsOf(config),
      reconnectDelayHandler: () => this.#pauseMs,
    }
    this.#wayOut = wayOutOf(config)
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
        this.#noteRefusal(error as Error)
        this.#down(tlsTrouble(error, options?.tls ?? undefined) ?? (error as Error).message)
      }
      await pause(this.#pauseMs, undefined, { signal: this.#stopping.signal }).catch(() => {})
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
      else if (status.type === 'error' && !this.#noteRefusal(status.error))
        this.#log.warn('fleet_refused', { reason: String(status.error) })
    }
    this.#down('connection closed')
  }

  async #up(fleet: Fleet): Promise<void> {
    this.#fleet = fleet
    this.#trouble = undefined
    this.#refusal = undefined
    this.#log.info('fleet_connected', { server: fleet.nats.getServer() })
    await this.#listener.onUp(fleet)
  }

  /** Edges that lost the same server do not come back all at once. */
  get #pauseMs(): number {
    return (this.#refusal === undefined ? retryMs : refusedRetryMs) * (1 + Math.random() / 4)
  }

  /** True: NATS does not let this edge in. */
  #noteRefusal(error: Error): boolean {
    const isRefusal =
      error instanceof errors.AuthorizationError ||
      error instanceof errors.UserAuthenticationExpiredError ||
      error.message === 'User Authentication Revoked'
    // The first reason is the best: once it is revoked, all that NATS says is that it is not let in.
    if (isRefusal) this.#refusal ??= `NATS refuses this edge (${error.message}): ${this.#wayOut}`
    return isRefusal
  }

  #down(away: string): void {
    const reason = this.#refusal ?? away
    if (this.#trouble !== reason && !this.#stopping.signal.aborted) this.#log.warn('fleet_away', { reason })
    this.#trouble = reason
    this.#fleet = undefined
  }
}

function optionsOf({ edge, fleet }: EdgeConfig): Parameters<typeof connect>[0] {
  const { servers, tokenFile, credentialsFile } = fleet
  return {
    servers,
    name: `imapfleet-edge ${edge.id}`,
    timeout: attemptMs,
    maxReconnectAttempts: -1,
    ignoreAuthErrorAbort: true,
    pingInterval: 10_000,
    // Replies to one edge must not be readable by another: each has an inbox of its own.
    inboxPrefix: subjects.inbox({ edge: edge.id, region: edge.region }),
    ...(tokenFile !== undefined && {
      authenticator: tokenAuthenticator(readSecret(tokenFile).toString().trim()),
    }),
    ...(credentialsFile !== undefined && {
      authenticator: credsAuthenticator(readCredentials(credentialsFile)),
    }),
    ...tlsOf(fleet),
  }
}

/** Asked for by `tls://` or by a file; a server that demands it gets it in any case. */
function tlsOf(fleet: EdgeConfig['fleet']) {
  const { servers, tlsCaFile, tlsCertFile, tlsKeyFile } = fleet
  const read = (file: string | undefined) => (file === undefined ? undefined : readSecret(file).toString())
  const pem = { ca: read(tlsCaFile), cert: read(tlsCertFile), key: read(tlsKeyFile) }
  const isAskedFor =
    servers.some((server) => server.startsWith('tls://')) || (pem.ca ?? pem.cert) !== undefined
  return isAskedFor ? { tls: clientTls(servers.map(hostOf), pem) } : {}
}

/** What an operator does about a refusal. */
function wayOutOf({ edge, fleet }: EdgeConfig): string {
  if (fleet.credentialsFile !== undefined)
    return (
      `its credential was revoked or is of another NATS; make a new one with imapfleet edges enroll ${edge.id} ` +
      `--region ${edge.region}, put it to fleet.credentialsFile and start the edge again`
    )
  return fleet.tokenFile === undefined
    ? 'it has no credential; set fleet.credentialsFile or fleet.tokenFile'
    : 'check fleet.tokenFile'
}

function readCredentials(file: string): Uint8Array {
  const text = readSecret(file).toString()
  if (!/BEGIN NATS USER JWT[^]*BEGIN USER NKEY SEED/.test(text))
    throw new EdgeError('config_unreadable', `fleet.credentialsFile: ${file} is no NATS credentials file`)
  // The client finds no end in a file whose last line has no newline.
  return Buffer.from(`${text}\n`)
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
