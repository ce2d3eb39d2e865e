/** The record of one client: its commands, and its view of the mailbox. The auditor compares this with the server's state. */

/** The client's view of its selection. `unknown`: after a refused SELECT, where servers differ. */
export type Belief = { kind: 'none' } | { kind: 'unknown' } | BelievedSelection

export interface BelievedSelection {
  readonly kind: 'selected'
  readonly mailbox: string
  readonly readOnly: boolean
  /** The tag of the search whose result is saved (RFC 5182). Undefined: no result is saved. `unknown`: a search was refused. */
  readonly savedBy: string | undefined
}

export interface SentTag {
  readonly text: string
  /** No other command was unanswered when this one was sent. */
  readonly isAlone: boolean
  /** The client's view when it sent the command. */
  readonly belief: Belief
  readonly enabled: ReadonlySet<string>
  /** Number of events at that time. */
  readonly sentAt: number
  isAnswered: boolean
  /**
   * State at the time of the answer: number of messages reported to the client, their flags, whether the reply is the last of its
   * wave, and the number of events.
   */
  answer?: {
    status: string
    exists: number | undefined
    flags: ReadonlyMap<number, ReadonlySet<string>> | undefined
    isLast: boolean
    at: number
  }
  /** A server has received the command. */
  hasArrived: boolean
  /** When the server received it, as a number of events. */
  arrivedAt?: number
}

export class SessionRecord {
  /** Unique in its world. */
  readonly number: number
  readonly user: string
  readonly secret: string
  /** The letter that its tags begin with: one for each client program. */
  readonly family: string
  /** The client sends damaged commands. Only effects on others are checked. */
  readonly isWild: boolean
  /** All bytes that the client has written. */
  sent = ''
  readonly tags = new Map<string, SentTag>()
  belief: Belief = { kind: 'none' }
  readonly enabled = new Set<string>()
  /** When its login had arrived at the edge, as a number of events. */
  loginAt: number | undefined
  /** The same moment, as a time. */
  loginTime: number | undefined
  /** When its login was answered OK. */
  loggedInAt: number | undefined
  isOver = false
  /** It has used more than one server connection. */
  hasMoved = false
  /** The SELECT that the edge has answered last, until a command of the session arrives at a server. */
  selectedHere: SentTag | undefined
  /** The number of the question that the edge asked ahead, and that is named in the data before the next reply. */
  namedQuestion: number | undefined
  /** Its own connection was disturbed. */
  isHarmed = false
  /** The connection may end anywhere, for example because an operator has ended the session. */
  mayBeCut = false
  #lastTag = 0

  constructor(facts: { number: number; user: string; secret: string; family: string; isWild: boolean }) {
    this.number = facts.number
    this.user = facts.user
    this.secret = facts.secret
    this.family = facts.family
    this.isWild = facts.isWild
  }

  /** Questions that were asked before this event were not asked for this session. When a wild client logged in is unknown. */
  get askedFrom(): number {
    return this.loginAt ?? (this.isWild ? -Infinity : Infinity)
  }

  /** The session is ending. Its server connection may already be used by another session. */
  get isEnding(): boolean {
    const hasSentLogout = () => [...this.tags.values()].some(({ text }) => /^\S+ LOGOUT/i.test(text))
    return this.isOver || this.mayBeCut || hasSentLogout()
  }

  /** Tags have the same length, so that all clients of a family look the same. */
  nextTag(): string {
    return `${this.family}${String(this.number).padStart(5, '0')}${String(++this.#lastTag).padStart(4, '0')}`
  }
}

/** The number of the session to which a tag belongs. Undefined: no client sends such tags. */
export function sessionNumberIn(tag: string): number | undefined {
  const match = /^[A-HJ-Z](\d{5})\d{4}$/.exec(tag)
  return match ? Number(match[1]) : undefined
}
