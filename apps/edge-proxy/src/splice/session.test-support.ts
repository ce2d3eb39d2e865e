/** For tests: one session on real sockets, with its client and its server. */
import type { Socket } from 'node:net'
import { after } from 'node:test'
import { resolveConfig, type EdgeConfig } from '@imapfleet/config'
import { edgeMetrics, Log, Metrics, type EdgeMetrics } from '@imapfleet/observe'
import { acceptedLink, dialedLink, type Peer } from '../net/wire.test-support.ts'
import type { Link } from '../net/link.ts'
import { connectionOver } from '../server/scripted-server.test-support.ts'
import type { ServerConnection } from '../server/server-connection.ts'
import type { HandBack } from '../server/reset.ts'
import type { AheadSetup } from './ahead-setup.ts'
import type { Ending } from './ending.ts'
import { Splice, type SpliceCalls } from './splice.ts'

export interface Wires {
  client: Peer
  /** The edge's link to the client, and the socket of the link. */
  clientLink: Link
  clientSocket: Socket
  scripted: Peer
  serverLink: Link
  serverSocket: Socket
}

/** A client connection and a server connection, on which one session after another can run. */
export async function wires(): Promise<Wires> {
  const [accepted, dialed] = await Promise.all([acceptedLink(), dialedLink()])
  return {
    client: accepted.peer,
    clientLink: accepted.link,
    clientSocket: accepted.socket,
    scripted: dialed.peer,
    serverLink: dialed.link,
    serverSocket: dialed.socket,
  }
}

export interface SessionSetup {
  /** Deviations from the defaults. */
  clients?: Partial<EdgeConfig['clients']>
  pool?: Partial<EdgeConfig['pool']>
  /** ID commands of the edge. */
  ids?: string[]
  /** Capabilities of the server. */
  offered?: string
  early?: string
  now?: () => number
  /** Settings of answer-ahead. Absent: it is off. */
  ahead?: AheadSetup
  prepare?: (connection: ServerConnection) => void
  swap?: SpliceCalls['swap']
}

export interface SplicedSession extends Wires {
  splice: Splice
  connection: ServerConnection
  counters: EdgeMetrics['counters']
  /** The log lines, without times. */
  logged: string[]
  /** The reported endings. There should be one. */
  endings: Ending[]
  /** How the session ended, and what it handed back. */
  ended: Promise<{ ending: Ending; handBack: HandBack }>
  /** Delivers bytes of the client or the server as one chunk. */
  fromClient: (text: string | Buffer) => void
  fromServer: (text: string | Buffer) => void
  /** Applies other settings. */
  reload: (pool: Partial<EdgeConfig['pool']>) => void
  /** Ends the session as if the client had disconnected, and returns what it handed back. */
  handBackNow: () => HandBack
}

const resolved = resolveConfig({ upstreams: { main: { hosts: ['127.0.0.1'] } } })
if (!resolved.ok) throw new Error(JSON.stringify(resolved.problems))
const defaults = resolved.config

/** Begins a session on these wires. */
export function beginOn(on: Wires, settings: SessionSetup = {}): SplicedSession {
  const connection = connectionOver(on.serverLink, settings.offered)
  settings.prepare?.(connection)
  const metrics = new Metrics(edgeMetrics)
  const logged: string[] = []
  const log = new Log({ level: 'debug', format: 'text' }, (line) => {
    logged.push(line.slice(line.indexOf(' ') + 1).trimEnd())
  })
  const clients = { ...defaults.clients, ...settings.clients }
  const pool = { ...defaults.pool, ...settings.pool }
  const config = { current: { clients, pool } }
  const context = {
    settings: config,
    metrics,
    log,
    clock: { now: settings.now ?? (() => 0) },
  }
  const endings: Ending[] = []
  const { promise: ended, resolve } = Promise.withResolvers<{ ending: Ending; handBack: HandBack }>()
  let handedBack: HandBack | undefined
  const ends = { client: on.clientLink, connection }
  const splice = new Splice(
    context,
    ends,
    {
      swap: settings.swap ?? (() => undefined),
      onCondstore() {},
      onEnd(ending, handBack) {
        endings.push(ending)
        handedBack = handBack
        resolve({ ending, handBack })
      },
    },
    settings.ahead,
  )
  const bytesOf = (text: string | Buffer) =>
    typeof text === 'string' ? Buffer.from(text, 'latin1') : Buffer.from(text)
  // A session that waits for its server would keep the process alive.
  after(() => splice.end({ kind: 'client-gone', end: 'closed-by-peer' }))
  splice.start(settings.ids ?? [], settings.early === undefined ? undefined : bytesOf(settings.early))
  return {
    ...on,
    splice,
    connection,
    counters: metrics.counters,
    logged,
    endings,
    ended,
    fromClient: (text) => on.clientLink.handler.onData(bytesOf(text)),
    fromServer: (text) => on.serverLink.handler.onData(bytesOf(text)),
    reload: (changed) => void (config.current = { clients, pool: { ...pool, ...changed } }),
    handBackNow() {
      splice.end({ kind: 'client-gone', end: 'closed-by-peer' })
      return handedBack!
    },
  }
}

/** A session on wires of its own. */
export async function begin(settings: SessionSetup = {}): Promise<SplicedSession> {
  return beginOn(await wires(), settings)
}
