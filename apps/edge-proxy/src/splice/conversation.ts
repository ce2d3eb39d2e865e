/**
 * The state of one client's conversation with its server connection: unanswered commands, the current command, and what the
 * client waits for. commands.ts reports what the client sends, replies.ts what the server answers. At the end,
 * the conversation decides whether a reset can make the connection clean.
 */
import type { EdgeConfig } from '@imapfleet/config'
import type { EdgeMetrics, Log } from '@imapfleet/observe'
import { hasTag } from '../imap/bytes.ts'
import { CommandScanner, type LineEnding } from '../imap/command-scanner.ts'
import type { CondstoreUse } from '../imap/condstore.ts'
import { maySelect, type Verb } from '../imap/verb.ts'
import type { ServerConnection } from '../server/server-connection.ts'
import type { HandBack, HandBackRefusal } from '../server/reset.ts'
import type { Ahead } from './ahead.ts'
import type { Ending } from './ending.ts'
import { SelectCache } from './select-cache.ts'
import type { SentCommand } from './sent-command.ts'

/** The part of the edge's context that a splice uses. */
export interface SpliceContext {
  /** Read at each use, so that running sessions follow a reload. */
  readonly settings: { readonly current: Pick<EdgeConfig, 'clients' | 'pool'> }
  readonly metrics: Pick<EdgeMetrics, 'counters'>
  readonly log: Pick<Log, 'warn'>
  /** Coarse milliseconds, for ages and idle times. */
  readonly clock: { now(): number }
}

/** State of a client's line that passes as it arrives, because it is too long to be held. */
export interface LongLine {
  hasReturn: boolean
  inQuotes: boolean
  endsInBackslash: boolean
}

interface Unanswered extends SentCommand {
  isOwn: boolean
  /** Asked ahead of the client (ahead.ts). */
  isAhead: boolean
  /** It is a UID command whose answer has no FETCH response, such as UID SEARCH. */
  isUidSearch: boolean
  hasLiteral: boolean
  /** The client's previous command has a literal: these bytes may still be part of that command. */
  followsLiteral: boolean
  /** Whether it enables CONDSTORE, if the server answers OK (RFC 7162 3.1). */
  condstore: CondstoreUse
}

/** What the client's next bytes wait for. */
export type Wait =
  /** The server's `+` or refusal, before a literal or during IDLE. */
  | 'continuation'
  /** Earlier replies, before a command that the edge answers. */
  | 'turn'
  /** The reply to a question that was asked ahead, or to a command of the edge that makes up for one. */
  | 'question'
  /** Earlier replies, before a LOGOUT. Bytes after the LOGOUT are dropped. */
  | 'logout'

/** BAD also stands for any other word. */
export type ReplyStatus = 'OK' | 'NO' | 'BAD'

/** At this many unanswered commands the client has to wait, because each reply is looked up in the list. */
const unansweredMax = 1000

/** The reason if the server connection is not reset after this ending. */
function lostBy(ending: Ending): HandBackRefusal | undefined {
  switch (ending.kind) {
    case 'upstream-gone':
    case 'reply-overdue':
    case 'mailbox-lost':
    case 'kicked':
    case 'shutdown':
      return ending.kind
    case 'client-gone':
      return ending.end === 'failed-here' ? ending.end : undefined
    case 'logout':
    case 'violation':
    case 'idle-timeout':
      return undefined
  }
}

const isFromEdge = (sent: SentCommand): boolean => sent.isOwn

export class Conversation {
  readonly context: SpliceContext
  readonly connection: ServerConnection
  /** The position in the client's stream. */
  readonly scanner = new CommandScanner()
  readonly selectCache: SelectCache
  /** Undefined: this session does not use answer-ahead. */
  readonly ahead: Ahead | undefined
  /** Usually one command, so a list is faster than a map. */
  #unanswered: Unanswered[] = []
  /** The client's last command. More of its lines and literals follow while the scanner is within a command. */
  #current: Unanswered | undefined
  /** IDLE is `asked` until the server's `+`, and `on` until the client's next line (RFC 2177). */
  #idle: 'off' | 'asked' | 'on' = 'off'
  /** The unanswered ENABLE of `enableSent`, and its arguments. */
  #enabling: { sent: Unanswered; key: string } | undefined
  /** The last UNSELECT or CLOSE, unless a SELECT was sent after it. After its OK no mailbox is selected. */
  #leaving: Unanswered | undefined
  #usesCondstore = false
  #isStaying = false
  #waitsFor: Wait | undefined
  #longLine: LongLine | undefined
  #hadBad = false
  #hasLostReply = false
  #hasServerBye = false

  constructor(connection: ServerConnection, context: SpliceContext, ahead?: Ahead) {
    this.connection = connection
    this.context = context
    this.selectCache = new SelectCache(connection, context)
    this.ahead = ahead
    ahead?.attach(this)
  }

  get waitsFor(): Wait | undefined {
    return this.#waitsFor
  }

  /** Whether the client's next line begins a command. If not, it continues one, or is the DONE of an IDLE. */
  get expectsCommand(): boolean {
    return this.#idle !== 'on' && this.scanner.betweenCommands
  }

  /** Whether the edge may answer: its answer would be in order, and between two responses. */
  get mayAnswer(): boolean {
    return this.isAllAnswered && this.connection.scanner.betweenResponses
  }

  /** Whether every command of the client has been answered. */
  get isAllAnswered(): boolean {
    return this.#unanswered.every(isFromEdge)
  }

  get isFull(): boolean {
    return this.#unanswered.length >= unansweredMax
  }

  /** Whether a command of the edge itself is unanswered, apart from questions asked ahead. */
  get hasOwnUnanswered(): boolean {
    return this.#unanswered.some(({ isOwn, isAhead }) => isOwn && !isAhead)
  }

  /** Whether this command of the edge is unanswered. */
  awaitsOwn(command: Verb): boolean {
    return this.#unanswered.some(({ verb, isOwn }) => isOwn && verb === command)
  }

  /** Whether an unanswered command asks for FETCH responses. */
  get isFetching(): boolean {
    return this.#unanswered.some(
      ({ verb, isUidSearch }) => verb === 'FETCH' || verb === 'STORE' || (verb === 'UID' && !isUidSearch),
    )
  }

  // Client to server, reported by commands.ts and splice.ts.

  /** No other connection has CONDSTORE: commands that enable it pass on this connection. */
  stayForCondstore(): void {
    this.#isStaying = true
  }

  get mayMoveForCondstore(): boolean {
    return !this.#isStaying && this.connection.enabledKey === '' && this.mayMove
  }

  /** Call before pending bytes are examined again. This may set a new wait. */
  clearWait(): void {
    this.#waitsFor = undefined
  }

  /** The client's command must wait for earlier replies before it is answered or sent. */
  waitForTurn(wait: 'turn' | 'question' | 'logout'): void {
    this.#waitsFor = wait
  }

  /** The client's command goes to the server. Its lines are reported next. */
  sent(tag: string, verb: Verb, isUidSearch = false): void {
    // This ENABLE passes as the client wrote it. Only an ENABLE that the edge writes makes the connection reusable.
    if (verb === 'ENABLE') this.connection.extensionsMayChange()
    const followsLiteral = this.followsLiteral
    this.#current = this.#add(tag, verb, false)
    this.#current.isUidSearch = isUidSearch
    this.#current.followsLiteral = followsLiteral
    this.#noteSelection(this.#current)
  }

  /** A command of the edge goes to the server. */
  ownSent(tag: string, verb: Verb): void {
    this.#noteSelection(this.#add(tag, verb, true))
  }

  /** A question of the edge goes to the server ahead of the client. */
  aheadSent(tag: string, verb: Verb): SentCommand {
    const sent = this.#add(tag, verb, true)
    sent.isAhead = true
    this.#noteSelection(sent)
    return sent
  }

  /** The client has asked a question that is in flight: its reply now belongs to the client. */
  claimed(sent: SentCommand): void {
    const command = sent as Unanswered
    command.isOwn = false
    this.#current = command
  }

  #noteSelection(sent: Unanswered): void {
    if (sent.verb === 'UNSELECT' || sent.verb === 'CLOSE') this.#leaving = sent
    else if (maySelect(sent.verb)) this.#leaving = undefined
  }

  /**
   * The edge sends ENABLE for the client, on a connection with nothing enabled.
   * @param extensions in upper case, sorted
   */
  enableSent(tag: string, extensions: string): void {
    this.#enabling = { sent: this.#add(tag, 'ENABLE', false), key: extensions }
  }

  /**
   * The line of the client's command that the scanner found last goes to the server.
   * @returns what follows the line
   */
  lineSent(bytes: Buffer, start: number): LineEnding {
    const ending = this.scanner.takeLine(bytes, start)
    if (ending !== 'complete') this.#current!.hasLiteral = true
    if (ending === 'synchronizing-literal') this.#waitsFor = 'continuation'
    else if (ending === 'complete' && this.#current!.verb === 'IDLE') {
      this.#idle = 'asked'
      this.#waitsFor = 'continuation'
    }
    return ending
  }

  /** Verb of the client's last command that went to the server. */
  get lastVerb(): Verb | undefined {
    return this.#current?.verb
  }

  /** The command whose lines the client is sending. */
  get current(): SentCommand {
    return this.#current!
  }

  /** Whether the client's last command has a literal. */
  get followsLiteral(): boolean {
    return this.#current?.hasLiteral === true
  }

  longLineBegins(): void {
    this.#longLine = { hasReturn: false, inQuotes: false, endsInBackslash: false }
  }

  /** State of the long line that is passing. */
  get longLine(): LongLine | undefined {
    return this.#longLine
  }

  /** Whether the client has sent a command that enables CONDSTORE. */
  get usesCondstore(): boolean {
    return this.#usesCondstore
  }

  /** The client has sent a command that enables CONDSTORE, and the edge answered it. The connection has CONDSTORE. */
  condstoreUsed(): void {
    this.#usesCondstore = true
  }

  /** A line of the client's command may enable CONDSTORE. */
  currentUsesCondstore(use: CondstoreUse): void {
    if (use === 'certain') this.#usesCondstore = true
    if (this.#current!.condstore !== 'certain') this.#current!.condstore = use
  }

  /**
   * Whether the session may move to another connection of its user before its next command: all commands are answered,
   * no ENABLE was sent, and the client has selected no mailbox.
   */
  get mayMove(): boolean {
    return (
      this.connection.extensions.size === 0 &&
      (this.connection.mailbox === 'none' || this.selectCache.isUntouched) &&
      this.mayAnswer
    )
  }

  get isIdling(): boolean {
    return this.#idle === 'on'
  }

  /** The client has sent a line during IDLE. DONE or not, it ends the IDLE (RFC 2177). */
  idleEnded(): void {
    this.#idle = 'off'
  }

  #add(tag: string, verb: Verb, isOwn: boolean): Unanswered {
    // The replies of two commands with the same tag cannot be told apart.
    if (this.#unanswered.length > 0 && this.#unanswered.some((sent) => sent.tag === tag))
      this.connection.spoil('unexpected-reply')
    const sent: Unanswered = {
      tag,
      verb,
      isOwn,
      isAhead: false,
      isUidSearch: false,
      condstore: 'none',
      hasLiteral: false,
      followsLiteral: false,
    }
    this.#unanswered.push(sent)
    return sent
  }

  // Server to client, reported by replies.ts.

  /** The unanswered command that this tagged reply belongs to. */
  commandOf(bytes: Buffer, start: number, end: number): SentCommand | undefined {
    // By index: measurably faster than an iterator for the usual single command.
    for (let index = 0; index < this.#unanswered.length; index++) {
      const sent = this.#unanswered[index]!
      if (hasTag(bytes, start, end, sent.tag)) return sent
    }
    return undefined
  }

  /** A tagged reply. */
  answered(sent: SentCommand, status: ReplyStatus): void {
    const command = sent as Unanswered
    // Mailbox data is omitted until the reply to UNSELECT, so the client has not got all of the answer to this SELECT.
    if (status === 'OK' && maySelect(command.verb) && this.#hasOwnUnselectBefore(command))
      this.#hasLostReply = true
    this.#remove(command)
    if (status === 'BAD' && !command.isOwn) this.#answeredBad(command)
    if (command === this.#current) this.#currentAnswered()
    if (command === this.#enabling?.sent) this.#enabling = undefined
    if (command.condstore !== 'none') this.#condstoreAnswered(status)
    // A refused SELECT proves nothing: some servers keep the mailbox that was selected before it.
    if (command === this.#leaving && status === 'OK' && !this.#unanswered.some(({ verb }) => maySelect(verb)))
      this.connection.mailboxLeft()
  }

  #hasOwnUnselectBefore(command: Unanswered): boolean {
    const before = this.#unanswered.slice(0, this.#unanswered.indexOf(command))
    return before.some(({ verb, isOwn }) => isOwn && verb === 'UNSELECT')
  }

  /** Whether the server answered a SELECT but not the UNSELECT before it. It must answer them in order (RFC 9051 5.5). */
  get hasLostReply(): boolean {
    return this.#hasLostReply
  }

  /** If this command or the previous one has a literal, BAD may mean that the literal's size was wrong. */
  #answeredBad({ hasLiteral, followsLiteral }: Unanswered): void {
    this.#hadBad = true
    if (hasLiteral || followsLiteral) this.connection.spoil('odd-literal')
  }

  #remove(command: Unanswered): void {
    if (this.#unanswered.length === 1) this.#unanswered = []
    else this.#unanswered.splice(this.#unanswered.indexOf(command), 1)
  }

  #currentAnswered(): void {
    if (!this.scanner.betweenCommands) {
      if (this.#waitsFor === 'continuation') {
        // Refused before its literal was sent (RFC 9051 4.3): the next line begins a command.
        this.#waitsFor = undefined
        this.scanner.abandonCommand()
      } else {
        // Refused while its literal is being sent: the rest of the command still follows (RFC 7888 4).
        this.connection.spoil('unexpected-reply')
      }
    } else if (this.#idle !== 'off') {
      if (this.#waitsFor === 'continuation') this.#waitsFor = undefined
      this.#idle = 'off'
    }
  }

  #condstoreAnswered(status: ReplyStatus): void {
    if (status === 'OK') this.connection.condstoreEnabled()
    else if (!this.connection.hasCondstore) this.connection.spoil('condstore-uncertain')
  }

  /** A continuation request. */
  continued(): void {
    if (this.#waitsFor !== 'continuation') return this.connection.spoil('unexpected-continuation')
    this.#waitsFor = undefined
    if (this.#idle === 'asked') this.#idle = 'on'
  }

  /** The server has announced that it closes the connection. */
  byeReceived(): void {
    this.#hasServerBye = true
    this.connection.spoil('server-said-bye')
  }

  /** Whether the server has sent BYE to the client. The edge then sends none. */
  get hasServerBye(): boolean {
    return this.#hasServerBye
  }

  /** An ENABLED response with these extensions, in upper case. */
  enabled(extensions: readonly string[]): void {
    if (this.#enabling) this.connection.enabledByOne(extensions, this.#enabling.key)
    else this.connection.enabled(extensions)
  }

  /** @param cause how the session ended, or `moved` if it continues on another connection */
  handBack(cause: Ending | 'moved'): HandBack {
    return {
      connection: this.connection,
      refusal: this.#refusal(cause),
      unanswered: this.#unanswered.map(({ tag }) => tag),
      idling: this.#idle === 'on',
      hadBad: this.#hadBad,
      // The session continues, so it is not known yet what it uses.
      usesCondstore: cause === 'moved' ? undefined : this.#usesCondstore,
    }
  }

  #refusal(cause: Ending | 'moved'): HandBackRefusal | undefined {
    if (cause !== 'moved') {
      const lost = lostBy(cause)
      if (lost !== undefined) return lost
    }
    // The server would read the commands of a reset as the rest of this command.
    if (!this.scanner.betweenCommands) return this.scanner.isWithinLine ? 'open-line' : 'open-literal'
    if (this.#waitsFor === 'continuation') return 'open-continuation'
    const { hasCondstore } = this.connection
    const isUncertain = ({ condstore, verb }: Unanswered) =>
      verb === 'ENABLE' || (condstore !== 'none' && !hasCondstore)
    if (this.#unanswered.some(isUncertain)) return 'extensions-uncertain'
    const { spoilReason, hasMixedExtensions } = this.connection
    return spoilReason ?? (hasMixedExtensions ? 'extensions-enabled' : undefined)
  }
}
