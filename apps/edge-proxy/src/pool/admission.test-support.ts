/** For tests: an admission with a real register, and connections without sockets. */
import assert from 'node:assert/strict'
import type { UpstreamConfig } from '@imapfleet/config'
import { Link, type Transport } from '../net/link.ts'
import type { Server } from '../server/server.ts'
import { ServerConnection } from '../server/server-connection.ts'
import { Admission } from './admission.ts'
import { Connections, Dial } from './connections.ts'
import type { LeaseRequest, NoPlace } from './lease.ts'

export type Limits = Pick<
  UpstreamConfig,
  | 'connectionsMax'
  | 'connectionsPerUserMax'
  | 'connectionsSpareMax'
  | 'connectionsPerUserSpareMax'
  | 'queueMax'
  | 'queueTimeoutMs'
>

const limits: Limits = {
  connectionsMax: 2,
  connectionsPerUserMax: 0,
  connectionsSpareMax: 1,
  connectionsPerUserSpareMax: 1,
  queueMax: 2,
  queueTimeoutMs: 5000,
}

interface More {
  server?: string
  /** By default, every login has another secret. */
  secret?: string
  isConnected?: boolean
}

let secrets = 0

export function requestOf(user: string, asked: Partial<Limits> = {}, more: More = {}): LeaseRequest {
  const name = more.server ?? 'main'
  return {
    server: { name, generation: 1, config: { ...limits, ...asked } } as Server,
    credentials: {
      user: Buffer.from(user),
      authzid: Buffer.alloc(0),
      secret: Buffer.alloc(0),
      mechanism: 'command',
    },
    identity: `${name} ${user}`,
    secretDigest: more.secret ?? `secret ${++secrets}`,
    usesCondstore: false,
    holder: {
      address: '192.0.2.7',
      isConnected: more.isConnected ?? true,
      loginSignal: AbortSignal.any([]),
      family: '',
    },
  }
}

const silent: Transport = {
  remoteAddress: '',
  queuedBytes: 0,
  write: () => true,
  pause() {},
  resume() {},
  unshift() {},
  close() {},
  closeWhenWritten() {},
  detach: () => assert.fail('there is no socket'),
  whenClosed() {},
}

let now = 0

/** The connection of a login that succeeded. */
export function connectionFor({
  server,
  identity,
  secretDigest,
  credentials,
}: LeaseRequest): ServerConnection {
  const user = credentials.user.toString()
  return new ServerConnection({
    link: new Link(() => silent),
    serverName: server.name,
    identity,
    secretDigest,
    user,
    openedBy: user,
    generation: server.generation,
    capabilities: [],
    loginText: '',
    expiresAt: Infinity,
    identification: server.identification,
    now: ++now,
  })
}

export class AdmissionAtWork {
  readonly connections = new Connections()
  readonly admission = new Admission(
    this.connections,
    () => true,
    (idle) => {
      this.evicted.push(idle.user)
      this.close(idle)
      return Promise.resolve()
    },
  )
  /** Users whose idle connection was evicted, in order. */
  readonly evicted: string[] = []

  take(user: string, asked: Partial<Limits> = {}, more: More = {}) {
    return this.admission.take(requestOf(user, asked, more))
  }

  /** Takes a place that is free. The server has not answered the login yet. */
  dial(user: string, asked: Partial<Limits> = {}, more: More = {}): Dial {
    const place = this.take(user, asked, more)
    assert.ok(place instanceof Dial, 'the login has to wait, or is refused')
    return place
  }

  /** The login succeeds. False: it has no place. */
  accept(dial: Dial): boolean {
    return this.admission.admit(dial, connectionFor(dial.request))
  }

  /** A login that the server accepts as soon as it has a place. */
  login(user: string, asked: Partial<Limits> = {}, more: More = {}): Outcome | Promise<Outcome> {
    const place = this.take(user, asked, more)
    return place instanceof Promise ? place.then((late) => this.#outcome(late)) : this.#outcome(place)
  }

  #outcome(place: Dial | NoPlace | 'look-again'): Outcome {
    if (!(place instanceof Dial)) return place
    assert.equal(this.accept(place), true)
    return 'taken'
  }

  /** The leased connection of this user becomes idle. */
  rest(user: string): ServerConnection {
    const connection = this.of(user)
    this.connections.toResetting(connection)
    this.connections.toIdle(connection)
    this.admission.becameIdle(connection)
    return connection
  }

  of(user: string): ServerConnection {
    return this.connections.of(`main ${user}`).at(-1)!
  }

  close(connection: ServerConnection): void {
    this.connections.close(connection)
    this.admission.serveQueue(connection.serverName)
  }

  get waiting(): number {
    return this.connections.count('waiting')
  }
}

export type Outcome = 'taken' | NoPlace | 'look-again'

/** Idle connections of these users, the oldest first. */
export function withIdle(users: string[]): AdmissionAtWork {
  const work = new AdmissionAtWork()
  for (const user of users) assert.equal(work.login(user), 'taken')
  for (const user of users) work.rest(user)
  return work
}
