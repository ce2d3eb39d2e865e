/**
 * One logged-in connection to a server: its socket, what the server can do, and everything that a later session would
 * inherit. The pool decides where it stands; a splice or a reset uses it.
 */
import type { Selection } from '../imap/selection.ts'
import { startsWithWord } from '../imap/bytes.ts'
import {
  ResponseScanner,
  type LineVerdict,
  type ResponseKind,
  type ResponseSink,
} from '../imap/response-scanner.ts'
import type { Link, LinkEnd, LinkHandler } from '../net/link.ts'

/** What a session has done to a connection that the next one would inherit. */
export interface SessionState {
  /** A mailbox is selected, or a command that may select one has been sent. */
  selected: boolean
  /** Extensions switched on for good (RFC 5161 has no way back). */
  enabled: Set<string>
  /** Arguments of the one ENABLE that enabled them, sorted; undefined if anything else enabled one. */
  enabledBy: string | undefined
  /** The first change that no reset undoes, apart from ENABLE: the connection must not be reused. */
  spoilReason: SpoilReason | undefined
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

/** What an idle connection can surprise with. */
export interface RestListener {
  onEnd(upstream: ServerConnection, end: LinkEnd): void
  onSurprise(
    upstream: ServerConnection,
    reason: 'server-said-bye' | 'unexpected-reply' | 'too-much-unasked',
  ): void
}

const ignore: ResponseSink = { onResponse: () => 'omit', onPass() {} }

let lastNumber = 0

export class ServerConnection {
  readonly link: Link
  readonly scanner = new ResponseScanner(ignore)
  /** Name of the configured upstream. */
  readonly name: string
  /** Canonical identity of who is logged in: the pool's key. */
  readonly identity: string
  readonly secretDigest: string
  /** For logs, `who` and the trace. */
  readonly user: string
  /** Whose credentials opened it: the user, unless they act as somebody else. */
  readonly openedBy: string
  /** Configuration of the upstream it was dialed with; another one means it is not handed out again. */
  readonly generation: number
  readonly bornAt: number
  /** For people: XPROXY_DUMPICC's number. */
  readonly number = ++lastNumber
  /** What the server can do now that the user is logged in; empty until it has said so. */
  capabilities: readonly string[]
  /** The server's own words for the login, for later sessions. */
  loginText: string
  /** Sessions it has served, the present one included. */
  uses = 1
  lastUsedAt: number
  /** The client that holds it. */
  client: { readonly address: string } | undefined
  /** The mailbox that is left selected, and what the server said of it. */
  selection: Selection | undefined
  /** When the server last proved that it is alive and clean. */
  provenAt: number
  /** Milliseconds since 1970 at which the credentials end, if they say so; 0: they were revoked. */
  expiresAt = Infinity
  readonly session: SessionState = {
    selected: false,
    enabled: new Set(),
    enabledBy: undefined,
    spoilReason: undefined,
  }

  constructor(facts: {
    link: Link
    name: string
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
    this.name = facts.name
    this.identity = facts.identity
    this.secretDigest = facts.secretDigest
    this.user = facts.user
    this.openedBy = facts.openedBy
    this.generation = facts.generation
    this.capabilities = facts.capabilities
    this.loginText = facts.loginText
    this.bornAt = this.lastUsedAt = this.provenAt = facts.now
  }

  /** Gives the connection to somebody: who hears its bytes, and who hears its responses. */
  hand(handler: LinkHandler, sink: ResponseSink): void {
    this.link.handler = handler
    this.scanner.sink = sink
  }

  /** The enabled extensions in the form of the pool's key: empty if none, `?` if no single ENABLE accounts for them. */
  get enabledKey(): string {
    return this.session.enabled.size === 0 ? '' : (this.session.enabledBy ?? '?')
  }

  /**
   * Nobody uses it: hears its end, and whatever the server says unasked. What it says is bounded, and has to be proven
   * harmless before the next session.
   */
  rest(bytesMax: number, listener: RestListener): void {
    const rest = new Rest(this, bytesMax, listener)
    this.hand(rest, rest)
  }

  /** Marks the connection as not reusable; the first reason is kept. */
  spoil(reason: SpoilReason): void {
    this.session.spoilReason ??= reason
  }
}

class Rest implements LinkHandler, ResponseSink {
  readonly #upstream: ServerConnection
  readonly #listener: RestListener
  #bytesLeft: number

  constructor(upstream: ServerConnection, bytesMax: number, listener: RestListener) {
    this.#upstream = upstream
    this.#listener = listener
    this.#bytesLeft = bytesMax
  }

  onData(bytes: Buffer): void {
    this.#upstream.provenAt = -Infinity
    this.#upstream.selection = undefined
    this.#bytesLeft -= bytes.length
    if (this.#bytesLeft < 0) this.#listener.onSurprise(this.#upstream, 'too-much-unasked')
    else this.#upstream.scanner.scan(bytes)
  }

  onDrain(): void {}

  onEnd(end: LinkEnd): void {
    this.#listener.onEnd(this.#upstream, end)
  }

  onResponse(kind: ResponseKind, bytes: Buffer, start: number): LineVerdict {
    if (kind !== 'untagged') this.#listener.onSurprise(this.#upstream, 'unexpected-reply')
    else if (startsWithWord(bytes, start + 2, 'BYE'))
      this.#listener.onSurprise(this.#upstream, 'server-said-bye')
    return 'omit'
  }

  onPass(): void {}
}
