/** What is known of one client: what it has sent, and what it believes. The auditor compares this with the server's state. */

/** Of a mailbox: what the client was told. `unknown`: after a refused SELECT, servers differ. */
export type Belief =
  { kind: 'none' } | { kind: 'unknown' } | { kind: 'selected'; mailbox: string; readOnly: boolean }

export interface SentTag {
  readonly text: string
  /** No other command was unanswered when it was sent. */
  readonly isAlone: boolean
  /** What the client believed when it sent it. */
  readonly belief: Belief
  readonly enabled: ReadonlySet<string>
  /** As a number of events. */
  readonly sentAt: number
  isAnswered: boolean
  /**
   * What the server knew when it answered: messages told to the client, whether the reply is the last of its wave, and the
   * number of events.
   */
  answer?: { status: string; exists: number | undefined; isLast: boolean; at: number }
  /** Some server has got it. */
  hasArrived: boolean
  /** When, as a number of events. */
  arrivedAt?: number
}

export class SessionRecord {
  /** Unique in its world. */
  readonly number: number
  readonly user: string
  readonly secret: string
  /** The letter that its tags begin with: one for each client program. */
  readonly family: string
  /** It sends damaged commands: only what concerns others is checked. */
  readonly isWild: boolean
  /** Everything that it has written. */
  sent = ''
  readonly tags = new Map<string, SentTag>()
  belief: Belief = { kind: 'none' }
  readonly enabled = new Set<string>()
  /** When its login had arrived at the edge, as a number of events. */
  loginAt: number | undefined
  /** The same as a time. */
  loginTime: number | undefined
  /** When its login was answered OK. */
  loggedInAt: number | undefined
  isOver = false
  /** It has used more than one server connection. */
  hasMoved = false
  /** The SELECT that the edge has answered last, until a command of the session arrives at a server. */
  selectedHere: SentTag | undefined
  /** Its own connection was disturbed. */
  isHarmed = false
  /** An operator has ended it. */
  mayBeCut = false
  #lastTag = 0

  constructor(facts: { number: number; user: string; secret: string; family: string; isWild: boolean }) {
    this.number = facts.number
    this.user = facts.user
    this.secret = facts.secret
    this.family = facts.family
    this.isWild = facts.isWild
  }

  /** It has asked for its end, or was ended. Its connection to the server may be that of another session already. */
  get isEnding(): boolean {
    const hasSentLogout = () => [...this.tags.values()].some(({ text }) => /^\S+ LOGOUT/i.test(text))
    return this.isOver || this.mayBeCut || hasSentLogout()
  }

  /** Of one length, so that all clients of a family look alike. */
  nextTag(): string {
    return `${this.family}${String(this.number).padStart(5, '0')}${String(++this.#lastTag).padStart(4, '0')}`
  }
}

/** The number of the session that a tag belongs to; undefined: no client sends such tags. */
export function sessionNumberIn(tag: string): number | undefined {
  const match = /^[A-HJ-Z](\d{5})\d{4}$/.exec(tag)
  return match ? Number(match[1]) : undefined
}
