/**
 * One logged-in connection to a server: its link, the server's capabilities, and all state that a later session would
 * inherit. A splice, a reset, or the idle handler below handles its bytes.
 */
import { startsWithWord } from '../imap/bytes.ts'
import { untaggedAt } from '../imap/response-facts.ts'
import {
  ResponseScanner,
  type LineVerdict,
  type ResponseKind,
  type ResponseSink,
} from '../imap/response-scanner.ts'
import { Linked } from '../linked-members.ts'
import type { Link, LinkEnd, LinkHandler } from '../net/link.ts'
import type { Identification } from './identification.ts'

/** The answer to the last SELECT or EXAMINE, kept while its mailbox stays selected and unchanged. */
export interface SelectAnswer {
  /** Verb and mailbox as the client wrote them. */
  readonly key: string
  /** The untagged lines, line ends included. */
  readonly lines: string
  /** What follows the tag in the reply, without the line end. */
  readonly ok: string
  /** When it was given; coarse milliseconds. */
  readonly at: number
}

/** `none`; `selected`: a mailbox is or may be selected; or the answer to SELECT of a mailbox that has not changed since. */
export type Mailbox = 'none' | 'selected' | SelectAnswer

/** Why no reset can make a connection clean; a label value of `reuse_refused_total`. */
export type SpoilReason =
  | 'notify'
  | 'language'
  | 'comparator'
  | 'search-update'
  | 'condstore-uncertain'
  | 'unexpected-reply'
  | 'unexpected-continuation'
  | 'odd-line-end'
  | 'odd-literal'
  | 'line-end-in-literal'
  | 'unclosed-quote'
  | 'server-said-bye'
  | 'data-after-barrier'

/** Why the login that opened a connection is no longer valid; a label value of both counters of refused reuse. */
export type DistrustReason =
  | 'revoked'
  /** The server has since refused the secret. */
  | 'secret-refused'
  /** The server has since accepted another secret of the user for the first time. */
  | 'secret-superseded'
  /** The server has refused this user, regardless of the secret. */
  | 'not-authorized'
  /** Another edge has reported one of these. */
  | 'fleet-evidence'

/** Called if an idle connection cannot be kept: it has ended, or the server has sent data that is not allowed. */
export type OnLost = (
  connection: ServerConnection,
  reason: LinkEnd | 'server-said-bye' | 'unexpected-reply' | 'too-much-unasked',
) => void

const ignore: ResponseSink = { onResponse: () => 'omit', onPass() {} }

/** Shared by all connections without extensions. */
const noExtensions: ReadonlySet<string> = new Set()

/** In lower case, so that it differs from the key of any ENABLE. */
const mixed = 'mixed'

/**
 * The key of a connection on which a command other than ENABLE has also enabled CONDSTORE (RFC 7162 3.1). ENABLE CONDSTORE has
 * another key, because its ENABLED response proves that CONDSTORE is enabled. Other commands only have an OK.
 * @param enabledKey key of the other extensions; empty if there are none
 */
export const withCondstore = (enabledKey: string): string =>
  enabledKey === '' ? 'condstore' : `${enabledKey} condstore`

let lastNumber = 0

export class ServerConnection extends Linked<ServerConnection> {
  readonly link: Link
  readonly scanner = new ResponseScanner(ignore)
  readonly serverName: string
  /** Canonical name of server and user (pool/key.ts). Only a session of the same identity may use the connection. */
  readonly identity: string
  readonly secretDigest: string
  /** The user that sessions act as: the authzid, if the login had one. For logs, lists and traces. */
  readonly user: string
  /** The user whose credentials opened the connection. Differs from `user` if the login had an authzid. */
  readonly openedBy: string
  /** `Server.generation` of the settings that it was dialed with. */
  readonly generation: number
  /** Milliseconds since 1970, like the other times. */
  readonly openedAt: number
  /** The number that XPROXY_DUMPICC shows. */
  readonly number = ++lastNumber
  /** Text of the server's OK to the login. Later sessions get it too. */
  readonly loginText: string
  /** When the credentials expire; Infinity if they have no expiry. */
  readonly expiresAt: number
  /** The server's answers to ID, shared by all its connections. */
  readonly identification: Identification
  #capabilities: readonly string[]
  #uses = 0
  #lastUsedAt: number
  #provenAt: number
  #distrustReason: DistrustReason | undefined
  #mailbox: Mailbox = 'none'
  #extensions: ReadonlySet<string> = noExtensions
  /** The key of `#extensions`; empty if there are none. */
  #argumentsKey = ''
  #hasCondstoreByCommand = false
  #enabledKey = ''
  #spoilReason: SpoilReason | undefined

  constructor(facts: {
    link: Link
    serverName: string
    identity: string
    secretDigest: string
    user: string
    openedBy: string
    generation: number
    capabilities: readonly string[]
    loginText: string
    expiresAt: number
    identification: Identification
    now: number
  }) {
    super()
    this.link = facts.link
    this.serverName = facts.serverName
    this.identity = facts.identity
    this.secretDigest = facts.secretDigest
    this.user = facts.user
    this.openedBy = facts.openedBy
    this.generation = facts.generation
    this.loginText = facts.loginText
    this.expiresAt = facts.expiresAt
    this.identification = facts.identification
    this.#capabilities = facts.capabilities
    this.openedAt = this.#lastUsedAt = this.#provenAt = facts.now
  }

  /** Sets the handler of bytes, and the sink of the responses that the scanner finds: a splice, a reset, or the idle handler. */
  setHandlers(handler: LinkHandler, sink: ResponseSink): void {
    this.link.handler = handler
    this.scanner.sink = sink
  }

  /**
   * Watches the connection while it is idle. After any data from the server, up to `bytesMax`, the connection must be proven again
   * before the next session.
   */
  rest(bytesMax: number, onLost: OnLost): void {
    const listener = new IdleListener(this, bytesMax, onLost)
    this.setHandlers(listener, listener)
  }

  // Use and proof.

  /** Number of sessions so far, including the present one. */
  get uses(): number {
    return this.#uses
  }

  /** When the last session ended, or when the connection was opened if it has had no session. */
  get lastUsedAt(): number {
    return this.#lastUsedAt
  }

  beginUse(): void {
    this.#uses++
  }

  endUse(now: number): void {
    this.#lastUsedAt = now
  }

  /** When a barrier last proved that the connection is alive and clean; -Infinity if the server has sent data since. */
  get provenAt(): number {
    return this.#provenAt
  }

  proven(now: number): void {
    this.#provenAt = now
  }

  /** The server may have sent data while the connection is idle: it must be proven again, and the mailbox may have changed. */
  doubt(): void {
    this.#provenAt = -Infinity
    this.forgetSelect()
  }

  get distrustReason(): DistrustReason | undefined {
    return this.#distrustReason
  }

  /** The present session continues, and the connection is closed after it. The first reason is kept. */
  distrust(reason: DistrustReason): void {
    this.#distrustReason ??= reason
  }

  // What the next session on this connection would inherit.

  /** The server's capability list after login; empty if the server has not sent one. */
  get capabilities(): readonly string[] {
    return this.#capabilities
  }

  learnCapabilities(capabilities: readonly string[]): void {
    this.#capabilities = capabilities
  }

  get mailbox(): Mailbox {
    return this.#mailbox
  }

  /** The answer to SELECT, if the mailbox has not changed since. */
  get selectAnswer(): SelectAnswer | undefined {
    return typeof this.#mailbox === 'object' ? this.#mailbox : undefined
  }

  /** A command that may select a mailbox goes to the server. */
  mailboxMayBeSelected(): void {
    this.#mailbox = 'selected'
  }

  /** The server has confirmed that no mailbox is selected. */
  mailboxLeft(): void {
    this.#mailbox = 'none'
  }

  /** The server has selected a mailbox, with this answer. */
  rememberSelect(answer: SelectAnswer): void {
    this.#mailbox = answer
  }

  /** The mailbox may have changed. It stays selected. */
  forgetSelect(): void {
    if (this.#mailbox !== 'none') this.#mailbox = 'selected'
  }

  /** Extensions that ENABLE enabled, in upper case. They cannot be disabled again (RFC 5161). */
  get extensions(): ReadonlySet<string> {
    return this.#extensions
  }

  /**
   * The key of the extensions in the pool: empty if there are none, the arguments of the ENABLE if one ENABLE enabled all of them,
   * otherwise `mixed`. If a command has enabled CONDSTORE, `withCondstore` of this key.
   */
  get enabledKey(): string {
    return this.#enabledKey
  }

  /** The extensions were not enabled by one ENABLE. No session can request exactly these, so none can use the connection. */
  get hasMixedExtensions(): boolean {
    return this.#argumentsKey === mixed
  }

  /**
   * An ENABLE of the edge has enabled these extensions.
   * @param key the arguments of ENABLE, in upper case, sorted
   */
  enabledByOne(extensions: readonly string[], key: string): void {
    const keyBefore = this.#argumentsKey
    this.#add(extensions)
    if (this.#extensions.size > 0) this.#setKey(keyBefore === '' || keyBefore === key ? key : mixed)
  }

  /** A command other than ENABLE has enabled CONDSTORE, or may have (RFC 7162 3.1). */
  condstoreEnabled(): void {
    if (this.hasCondstore) return
    this.#hasCondstoreByCommand = true
    this.#setKey(this.#argumentsKey)
  }

  /** Whether CONDSTORE is enabled in any way. QRESYNC includes it (RFC 7162 3.2.3). */
  get hasCondstore(): boolean {
    return this.#hasCondstoreByCommand || this.#extensions.has('CONDSTORE') || this.#extensions.has('QRESYNC')
  }

  /** A command other than ENABLE has enabled CONDSTORE. */
  get hasCondstoreByCommand(): boolean {
    return this.#hasCondstoreByCommand
  }

  /** These extensions were enabled in another way: by an ENABLE with unknown arguments, or by the server. */
  enabled(extensions: readonly string[]): void {
    this.#add(extensions)
    this.extensionsMayChange()
  }

  /** A command that may enable unknown extensions goes to the server. */
  extensionsMayChange(): void {
    if (this.#extensions.size > 0) this.#setKey(mixed)
  }

  #setKey(argumentsKey: string): void {
    this.#argumentsKey = argumentsKey
    this.#enabledKey = this.#hasCondstoreByCommand ? withCondstore(argumentsKey) : argumentsKey
  }

  #add(extensions: readonly string[]): void {
    if (extensions.length > 0) this.#extensions = new Set([...this.#extensions, ...extensions])
  }

  /** The first change, other than ENABLE, that a reset cannot undo. The connection must not be reused. */
  get spoilReason(): SpoilReason | undefined {
    return this.#spoilReason
  }

  /** Marks the connection as not reusable. The first reason is kept. */
  spoil(reason: SpoilReason): void {
    this.#spoilReason ??= reason
  }
}

/** Handles the connection while it is idle. */
class IdleListener implements LinkHandler, ResponseSink {
  readonly #connection: ServerConnection
  readonly #onLost: OnLost
  #bytesLeft: number

  constructor(connection: ServerConnection, bytesMax: number, onLost: OnLost) {
    this.#connection = connection
    this.#onLost = onLost
    this.#bytesLeft = bytesMax
  }

  onData(bytes: Buffer): void {
    this.#connection.doubt()
    this.#bytesLeft -= bytes.length
    if (this.#bytesLeft < 0) this.#onLost(this.#connection, 'too-much-unasked')
    else this.#connection.scanner.scan(bytes)
  }

  onEnd(end: LinkEnd): void {
    this.#onLost(this.#connection, end)
  }

  onResponse(kind: ResponseKind, bytes: Buffer, start: number): LineVerdict {
    if (kind !== 'untagged') this.#onLost(this.#connection, 'unexpected-reply')
    else if (startsWithWord(bytes, untaggedAt(bytes, start), 'BYE'))
      this.#onLost(this.#connection, 'server-said-bye')
    return 'omit'
  }

  onPass(): void {}
}
