/**
 * For tests: an IMAP server that answers by a script, written without the edge's own grammar, and the servers and
 * connections for tests of pool and splice.
 */
import type { Socket } from 'node:net'
import { resolveConfig, type Layer, type UpstreamConfig } from '@imapfleet/config'
import { edgeMetrics, Metrics } from '@imapfleet/observe'
import type { Link } from '../net/link.ts'
import { dialedLink, listen, Peer } from '../net/wire.test-support.ts'
import { Identification } from './identification.ts'
import type { HandBack } from './reset.ts'
import { Server } from './server.ts'
import { serverTlsContext } from './tls.ts'
import { ServerConnection } from './server-connection.ts'

/** A command that the server has read. Its literals are part of the text. */
export interface Asked {
  tag: string
  /** Verb in upper case. */
  verb: string
  /** Everything after the tag. */
  text: string
  peer: Peer
}

/** Returns what to send, with line ends; undefined: nothing. */
export type Script = (asked: Asked) => string | undefined

const capabilities = 'IMAP4rev1 SASL-IR ID AUTH=PLAIN UNSELECT IDLE ENABLE CONDSTORE NOTIFY'

/** The script of a correct server. The password of every user is `secret`. */
export const wellBehaved: Script = ({ tag, verb, text }) => {
  switch (verb) {
    case 'CAPABILITY':
      return `* CAPABILITY ${capabilities}\r\n${tag} OK done\r\n`
    case 'LOGIN':
    case 'AUTHENTICATE':
      return /secret"?$/.test(text) || text.endsWith(Buffer.from('\0joe\0secret').toString('base64'))
        ? `${tag} OK [CAPABILITY ${capabilities}] Logged in\r\n`
        : `${tag} NO [AUTHENTICATIONFAILED] Authentication failed.\r\n`
    case 'SELECT':
      return `* 1 EXISTS\r\n* 0 RECENT\r\n* OK [UIDVALIDITY 1] x\r\n${tag} OK [READ-WRITE] done\r\n`
    case 'EXAMINE':
      return text.includes('imapfleet-none-') ? `${tag} NO no such mailbox\r\n` : `${tag} OK done\r\n`
    case 'ENABLE':
      return `* ENABLED ${text.slice(7)}\r\n${tag} OK done\r\n`
    case 'ID':
      return `* ID ("name" "Scripted")\r\n${tag} OK done\r\n`
    case 'LOGOUT':
      return `* BYE bye\r\n${tag} OK done\r\n`
    default:
      return `${tag} OK done\r\n`
  }
}

export class ScriptedServer {
  readonly port: number
  readonly connections: Peer[] = []
  /** Every command of every connection, without tags. */
  readonly asked: string[] = []
  /** Their tags. */
  readonly tags: string[] = []
  greeting: string | undefined = '* OK ready\r\n'
  script: Script = wellBehaved
  /** Called with each new connection. False: it gets no greeting and no answers. */
  onConnect: (peer: Peer) => boolean = () => true

  private constructor(port: number) {
    this.port = port
  }

  static async start(): Promise<ScriptedServer> {
    const { promise, resolve } = Promise.withResolvers<ScriptedServer>()
    const port = await listen((socket) => void promise.then((scripted) => scripted.#serve(socket)))
    resolve(new ScriptedServer(port))
    return promise
  }

  /** Connections that the server has not closed. */
  get serving(): number {
    return this.connections.filter(isPeerServed).length
  }

  /** Connections that are open now. */
  get open(): number {
    return this.connections.filter((peer) => peer.isOpen).length
  }

  readonly #noted: Script = (asked) => {
    this.tags.push(asked.tag)
    return this.script(asked)
  }

  #serve(socket: Socket): void {
    const peer = new Peer(socket)
    // The server closes the connection when the edge does.
    socket.on('end', () => socket.end())
    this.connections.push(peer)
    if (!this.onConnect(peer)) return
    if (this.greeting !== undefined) peer.say(this.greeting)
    void serve(peer, () => this.#noted, this.asked)
  }
}

/** Whether neither side has closed the connection. */
export const isPeerServed = ({ isOpen, socket }: Peer): boolean => isOpen && !socket.writableEnded

/** Answers every command by the current script, until the connection ends. */
export async function serve(peer: Peer, script: () => Script, log: string[]): Promise<void> {
  try {
    for (;;) await answer(peer, script, log)
  } catch {
    // The connection has ended, or the test has.
  }
}

async function answer(peer: Peer, script: () => Script, log: string[]): Promise<void> {
  let line = await peer.line()
  for (let literal = /\{(\d+)(\+?)\}$/.exec(line); literal; literal = /\{(\d+)(\+?)\}$/.exec(line)) {
    if (literal[2] === '') peer.say('+ go on\r\n')
    line = line.slice(0, literal.index) + (await peer.bytes(Number(literal[1]))) + (await peer.line())
  }
  const [tag = '', ...words] = line.split(' ')
  const text = words.join(' ')
  log.push(text)
  const said = script()({ tag, verb: (words[0] ?? '').toUpperCase(), text, peer })
  if (said !== undefined) peer.say(said)
  if (text === 'LOGOUT' && said !== undefined) peer.socket.end()
}

/** Settings of a server on this port. */
function upstreamConfig(port: number, settings: Layer = {}): UpstreamConfig {
  const upstreams = { main: { hosts: ['127.0.0.1'], port, connectAttempts: 1, ...settings } }
  const resolved = resolveConfig({ upstreams })
  if (!resolved.ok) throw new Error(JSON.stringify(resolved.problems))
  return resolved.config.upstreams['main']!
}

export function serverAt(port: number, settings: Layer = {}, name = 'main', generation = 1): Server {
  const config = upstreamConfig(port, settings)
  return new Server(name, config, generation, new Metrics(edgeMetrics), serverTlsContext(name, config))
}

/** A logged-in connection over this link. */
export function connectionOver(link: Link, offered = capabilities): ServerConnection {
  return new ServerConnection({
    link,
    serverName: 'main',
    identity: 'main joe',
    secretDigest: '',
    user: 'joe',
    openedBy: 'joe',
    generation: 1,
    capabilities: offered.split(' '),
    loginText: 'Logged in',
    expiresAt: Infinity,
    identification: new Identification(),
    now: 0,
  })
}

/** A logged-in connection, and the server at its other end. */
export async function loggedIn(
  offered = capabilities,
): Promise<{ connection: ServerConnection; scripted: Peer }> {
  const { link, peer } = await dialedLink()
  return { connection: connectionOver(link, offered), scripted: peer }
}

/** The hand-back of a session that left no state. */
export const cleanHandBack = (connection: ServerConnection): HandBack => ({
  connection,
  refusal: undefined,
  unanswered: [],
  idling: false,
  usesCondstore: false,
  hadBad: false,
})

/** The signal of a login that is never abandoned. */
export const unlimited: AbortSignal = AbortSignal.any([])
