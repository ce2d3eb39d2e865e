/**
 * One logged-in connection to a server: its link, the server's capabilities, and all state that a later session would
 * inherit. The pool decides what handles its bytes: a splice, a reset, or the idle handler below.
 */
import { startsWithWord } from '../imap/bytes.ts'
import {
  ResponseScanner,
  type LineVerdict,
  type ResponseKind,
  type ResponseSink,
} from '../imap/response-scanner.ts'
import type { Link, LinkEnd, LinkHandler } from '../net/link.ts'

/** The changes of a session that the next one on this connection would inherit. */
export interface SessionState {
  /** A mailbox is selected, or a command that may select one has been sent. */
  selected: boolean
  /** Enabled extensions, in upper case. They cannot be disabled again (RFC 5161). */
  enabled: Set<string>
  /** Arguments of the one ENABLE that enabled them, sorted; undefined if more than that enabled them. */
  enabledBy: string | undefined
  /** The first change that no reset undoes, apart from ENABLE: the connection must not be reused. */
  spoilReason: SpoilReason | undefined
}

/** The answer to the last SELECT or EXAMINE, kept while its mailbox stays selected and unchanged. */
export interface Selection {
  /** Verb and mailbox as the client wrote them. */
  key: string
  /** The untagged lines, line ends included. */
  lines: string
  /** What follows the tag in the reply, without the line end. */
  ok: string
  /** When it was given; coarse milliseconds. */
  at: number
}

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
  | 'server-said-bye'
  | 'data-after-barrier'

/** Reports that an idle connection cannot be kept: it has ended, or the server has sent data that it must not send. */
export type OnLost = (
  connection: ServerConnection,
  reason: LinkEnd | 'server-said-bye' | 'unexpected-reply' | 'too-much-unasked',
) => void

const ignore: ResponseSink = { onResponse: () => 'omit', onPass() {} }

let lastNumber = 0

export class ServerConnection {
  readonly link: Link
  readonly scanner = new ResponseScanner(ignore)
  readonly serverName: string
  /** Canonical name of server and user (pool/key.ts). Only a session of the same identity may use the connection. */
  readonly identity: string
  readonly secretDigest: string
  /** The user that sessions act as: the authzid if there was one. For logs, lists and traces. */
  readonly user: string
  /** The user whose credentials opened it. Differs from `user` if there was an authzid. */
  readonly openedBy: string
  /** `Server.generation` of the settings that it was dialed with. */
  readonly generation: number
  /** Milliseconds since 1970, like the other times. */
  readonly openedAt: number
  /** As XPROXY_DUMPICC shows it. */
  readonly number = ++lastNumber
  /** The server's list after login; empty if the server has not sent one. */
  capabilities: readonly string[]
  /** Text of the server's OK to the login. Later sessions get it too. */
  loginText: string
  /** Number of sessions so far, including the present one. */
  uses = 1
  lastUsedAt: number
  /** Undefined: no mailbox is selected, or none whose state is known. */
  selection: Selection | undefined
  /** When a barrier last proved that it is alive and clean. */
  provenAt: number
  /** When the credentials expire, if they have an expiry. Milliseconds since 1970. */
  expiresAt = Infinity
  #isRevoked = false
  readonly session: SessionState = {
    selected: false,
    enabled: new Set(),
    enabledBy: undefined,
    spoilReason: undefined,
  }

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
    now: number
  }) {
    this.link = facts.link
    this.serverName = facts.serverName
    this.identity = facts.identity
    this.secretDigest = facts.secretDigest
    this.user = facts.user
    this.openedBy = facts.openedBy
    this.generation = facts.generation
    this.capabilities = facts.capabilities
    this.loginText = facts.loginText
    this.openedAt = this.lastUsedAt = this.provenAt = facts.now
  }

  /** Sets what gets the bytes, and the responses that the scanner finds in them: a splice, a reset, or the idle handler. */
  setHandlers(handler: LinkHandler, sink: ResponseSink): void {
    this.link.handler = handler
    this.scanner.sink = sink
  }

  /** The enabled extensions in the pool's key: empty if none, `?` if not from one ENABLE. No session asks for `?`. */
  get enabledKey(): string {
    return this.session.enabled.size === 0 ? '' : (this.session.enabledBy ?? '?')
  }

  /**
   * Watches the connection while it is idle. Any data from the server, at most `bytesMax`, means that the connection must be
   * proven again before the next session.
   */
  rest(bytesMax: number, onLost: OnLost): void {
    const listener = new IdleListener(this, bytesMax, onLost)
    this.setHandlers(listener, listener)
  }

  get isRevoked(): boolean {
    return this.#isRevoked
  }

  /** The user was revoked: the present session continues, and the connection is closed after it. */
  revoke(): void {
    this.#isRevoked = true
  }

  /** Marks the connection as not reusable; the first reason is kept. */
  spoil(reason: SpoilReason): void {
    this.session.spoilReason ??= reason
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
    this.#connection.provenAt = -Infinity
    this.#connection.selection = undefined
    this.#bytesLeft -= bytes.length
    if (this.#bytesLeft < 0) this.#onLost(this.#connection, 'too-much-unasked')
    else this.#connection.scanner.scan(bytes)
  }

  onEnd(end: LinkEnd): void {
    this.#onLost(this.#connection, end)
  }

  onResponse(kind: ResponseKind, bytes: Buffer, start: number): LineVerdict {
    if (kind !== 'untagged') this.#onLost(this.#connection, 'unexpected-reply')
    else if (startsWithWord(bytes, start + 2, 'BYE')) this.#onLost(this.#connection, 'server-said-bye')
    return 'omit'
  }

  onPass(): void {}
}
