/** For tests: one session on real sockets, with its client and its server both at hand. */
import type { Socket } from 'node:net'
import { edgeMetrics, Metrics } from '@imapfleet/observe'
import { acceptedLink, dialedLink, type Peer } from '../net/wire.test-support.ts'
import type { Link } from '../net/link.ts'
import { connectionOver } from '../server/scripted-server.test-support.ts'
import type { ServerConnection } from '../server/server-connection.ts'
import type { SpliceContext, SpliceOwner } from './context.ts'
import type { Ending, HandBack } from './ending.ts'
import { Splice } from './splice.ts'

export interface Wires {
  client: Peer
  /** The edge's end towards the client, and the socket beneath it. */
  clientLink: Link
  clientSocket: Socket
  scripted: Peer
  serverLink: Link
  serverSocket: Socket
}

/** Two connections on which sessions can follow one another. */
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

type Options = ReturnType<SpliceContext['options']>

export interface Settings {
  options?: Partial<Options>
  /** Capabilities of the server. */
  offered?: string
  early?: string
  now?: () => number
  prepare?: (connection: ServerConnection) => void
  exchange?: SpliceOwner['exchange']
}

export interface Session extends Wires {
  splice: Splice
  connection: ServerConnection
  counters: SpliceContext['counters']
  /** Commands of the edge's own that the server has refused. */
  refused: string[]
  /** Every end that it was told of; there should be one. */
  endings: Ending[]
  /** How it ended, and what the pool would be told. */
  ended: Promise<{ ending: Ending; handBack: HandBack }>
  /** Bytes of the client, or of the server, that have just come: how they are cut is up to the test. */
  fromClient: (text: string | Buffer) => void
  fromServer: (text: string | Buffer) => void
  /** What the pool would be told if the client went away now. */
  handBackNow: () => HandBack
}

const options: Options = {
  lineBytesMax: 65_536,
  answerCapability: true,
  answerId: true,
  selectCache: 'off',
  selectCacheWindowMs: 10_000,
  resetTimeoutMs: 5000,
}

/** Begins a session on these wires. */
export function beginOn(on: Wires, settings: Settings = {}): Session {
  const connection = connectionOver(on.serverLink, settings.offered)
  settings.prepare?.(connection)
  const { counters } = new Metrics(edgeMetrics)
  const refused: string[] = []
  const endings: Ending[] = []
  const { promise, resolve } = Promise.withResolvers<{ ending: Ending; handBack: HandBack }>()
  const context: SpliceContext = {
    options: () => ({ ...options, ...settings.options }),
    now: settings.now ?? (() => 0),
    counters,
    onOwnRefused: (verb, text) => void refused.push(`${verb} ${text.trimEnd()}`),
  }
  const splice = new Splice(on.clientLink, connection, context, {
    exchange: settings.exchange ?? (() => undefined),
    onEnd(ending) {
      endings.push(ending)
      resolve({ ending, handBack: splice.handBack(ending) })
    },
  })
  splice.start([], settings.early === undefined ? undefined : Buffer.from(settings.early, 'latin1'))
  const bytesOf = (text: string | Buffer) =>
    typeof text === 'string' ? Buffer.from(text, 'latin1') : Buffer.from(text)
  return {
    ...on,
    splice,
    connection,
    counters,
    refused,
    endings,
    ended: promise,
    fromClient: (text) => on.clientLink.handler.onData(bytesOf(text)),
    fromServer: (text) => on.serverLink.handler.onData(bytesOf(text)),
    handBackNow: () => splice.handBack({ kind: 'client-gone', end: 'closed-by-peer' }),
  }
}

/** A session on wires of its own. */
export async function begin(settings: Settings = {}): Promise<Session> {
  return beginOn(await wires(), settings)
}
