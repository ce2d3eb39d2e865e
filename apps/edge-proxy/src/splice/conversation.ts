/**
 * Where the conversation of one session stands: what is unanswered, what is half said. The commands and the replies both
 * move it, and at the end it tells whether the upstream is in a state that a reset can clean.
 */
import type { Verb } from '../imap/verb.ts'
import type { ServerConnection } from '../server/server-connection.ts'
import type { Ending, HandBack, HandBackRefusal } from './ending.ts'
import { Outstanding, type Sent } from './outstanding.ts'
import type { Recording } from '../imap/selection.ts'

/** Why the client's bytes are not looked at for the moment. */
export type Blocked =
  | undefined
  /** A literal or IDLE waits for the server's `+`, or for a refusal. */
  | 'continuation'
  /** A command to be answered here waits for the replies before it. */
  | 'turn'

/** What is known of a mailbox that an earlier session has left selected. */
export type Kept =
  /** There is none, or no more. */
  | 'none'
  /** Nothing has been asked yet. */
  | 'unproven'
  /** A NOOP is under way. */
  | 'asked'
  | 'same'
  | 'changed'

export class Conversation {
  readonly upstream: ServerConnection
  readonly outstanding = new Outstanding()
  blocked: Blocked
  /** The client's LOGOUT waits for its turn: nothing behind it matters. */
  isLeaving = false
  /** Bytes of a client literal still to pass. */
  literal = 0
  /** The command that the next line continues, after a literal. */
  open: Sent | undefined
  /** IDLE: asked until the server's `+`, on until the client's next line (RFC 2177). */
  idle: 'off' | 'asked' | 'on' = 'off'
  kept: Kept
  /** The edge's own UNSELECT: what the server says of the mailbox before its reply is not for this client. */
  unselecting: Sent | undefined
  /** The one ENABLE whose outcome the connection is known by, while it is unanswered. */
  enabling: Sent | undefined
  recording: { sent: Sent; recording: Recording } | undefined

  constructor(upstream: ServerConnection) {
    this.upstream = upstream
    this.kept = upstream.session.selected ? 'unproven' : 'none'
  }

  /** Notes that a command goes up and must be answered. */
  sent(tag: string, verb: Verb, own: boolean): Sent {
    const sent: Sent = { tag, verb, condstore: false, own }
    // Two commands of one tag: their replies cannot be told apart.
    if (this.outstanding.has(tag)) this.upstream.spoil('unexpected-reply')
    this.outstanding.add(sent)
    return sent
  }

  /** Whether an answer of our own would stand in order and between two responses. */
  get isOurTurn(): boolean {
    return this.outstanding.isClientDone && this.upstream.scanner.betweenResponses
  }

  /** What the pool must know to judge the upstream. */
  handBack(ending: Ending): HandBack {
    return { refusal: this.#refusal(ending), unanswered: this.outstanding.tags, idling: this.idle === 'on' }
  }

  #refusal(ending: Ending): HandBackRefusal | undefined {
    if (ending.kind === 'upstream-gone') return 'upstream-gone'
    if (ending.kind === 'client-gone' && ending.end === 'failed-here') return 'failed-here'
    if (ending.kind === 'ended-here') return 'kicked'
    // The server would take the next session's commands for the rest of this one's mail.
    if (this.literal > 0 || this.open) return 'open-literal'
    if (this.blocked === 'continuation') return 'open-continuation'
    if (this.outstanding.isUncertain) return 'extensions-uncertain'
    const { spoilReason, enabled, enabledBy } = this.upstream.session
    return spoilReason ?? (enabled.size > 0 && enabledBy === undefined ? 'extensions-enabled' : undefined)
  }
}
