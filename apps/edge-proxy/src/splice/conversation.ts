/**
 * The state of one client's conversation with its server connection: unanswered commands, the command under way, and what
 * the client waits for. commands.ts reports what the client sends, replies.ts what the server answers. At the end it says
 * whether a reset can make the connection clean.
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

/** A line of the client that passes as it arrives, because it is too long to be held. */
export interface LongLine {
  hasReturn: boolean
  inQuotes: boolean
  endsInBackslash: boolean
}

interface Unanswered extends SentCommand {
  isOwn: boolean
  /** Asked ahead of the client (ahead.ts). */
  isAhead: boolean
  hasLiteral: boolean
  /** The client's command before it has a literal: what is read as this command may be a part of that one. */
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
  /** Earlier replies, before a LOGOUT. Bytes behind it are dropped. */
  | 'logout'

/** BAD stands for any other word too. */
export type ReplyStatus = 'OK' | 'NO' | 'BAD'

/** With more unanswered commands the client has to wait: each reply is looked up in the list. */
const unansweredMax = 1000

/** After these endings no reset is tried. */
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
  /** Position in the client's bytes. */
  readonly scanner = new CommandScanner()
  readonly selectCache: SelectCache
  /** Undefined: nothing is learned or asked ahead. */
  readonly ahead: Ahead | undefined
  /** Usually one command, so a list is faster than a map. */
  #unanswered: Unanswered[] = []
  /** The client's last command. Its lines and literals are still to come while the scanner is within a command. */
  #current: Unanswered | undefined
  /** IDLE is asked until the server's `+`, and on until the client's next line (RFC 2177). */
  #idle: 'off' | 'asked' | 'on' = 'off'
  /** The ENABLE sent by `enableSent`, while it is unanswered, and its arguments. */
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

  /** Whether the client's next line begins a command: it continues none, and is not the DONE of an IDLE. */
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

  /** Whether the edge waits for a reply that no client will get. */
  get hasOwnUnanswered(): boolean {
    return this.#unanswered.some(({ isOwn, isAhead }) => isOwn && !isAhead)
  }

  /** Whether the edge waits for the reply to a command of its own. */
  awaitsOwn(command: Verb): boolean {
    return this.#unanswered.some(({ verb, isOwn }) => isOwn && verb === command)
  }

  /** Whether an unanswered command asks for FETCH responses. */
  get isFetching(): boolean {
    return this.#unanswered.some(({ verb }) => verb === 'FETCH' || verb === 'UID' || verb === 'STORE')
  }

  // Client to server, reported by commands.ts and splice.ts.

  /** There is no other connection with CONDSTORE: the commands that enable it pass on this one. */
  stayForCondstore(): void {
    this.#isStaying = true
  }

  get mayMoveForCondstore(): boolean {
    return !this.#isStaying && this.connection.enabledKey === '' && this.mayMove
  }

  /** Before pending bytes are judged again, which may set it anew. */
  clearWait(): void {
    this.#waitsFor = undefined
  }

  /** The client's command cannot be answered, or sent, before earlier replies. */
  waitForTurn(wait: 'turn' | 'logout'): void {
    this.#waitsFor = wait
  }

  /** The client's command goes to the server. Its lines are next. */
  sent(tag: string, verb: Verb): void {
    // It passes as the client wrote it, so no single ENABLE of the edge accounts for the extensions.
    if (verb === 'ENABLE') this.connection.extensionsMayChange()
    const followsLiteral = this.followsLiteral
    this.#current = this.#add(tag, verb, false)
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

  /** The client has asked the question that is in flight: its reply is for the client now. */
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
   * The edge sends ENABLE in the client's name, on a connection with nothing enabled.
   * @param extensions in upper case, sorted
   */
  enableSent(tag: string, extensions: string): void {
    this.#enabling = { sent: this.#add(tag, 'ENABLE', false), key: extensions }
  }

  /**
   * A line of the client's command goes to the server, the one that the scanner found last.
   * @returns what the line says about the bytes that follow
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

  /** Of the last command that went to the server. */
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

  /** Of the line that the scanner is within. */
  get longLine(): LongLine | undefined {
    return this.#longLine
  }

  /** Whether the session has asked for what enables CONDSTORE. */
  get usesCondstore(): boolean {
    return this.#usesCondstore
  }

  /** The client has asked for what enables CONDSTORE, on a connection that has it. */
  condstoreUsed(): void {
    this.#usesCondstore = true
  }

  /** A line of the client's command may enable CONDSTORE. */
  currentUsesCondstore(use: CondstoreUse): void {
    if (use === 'certain') this.#usesCondstore = true
    if (this.#current!.condstore !== 'certain') this.#current!.condstore = use
  }

  /**
   * Whether the session may move to another connection of its user before its next command: all is answered, no ENABLE
   * was sent, and it has selected nothing.
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

  /** The client has sent a line during IDLE: DONE, or an error. Either ends it (RFC 2177). */
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
    // Up to the reply to UNSELECT, data of a mailbox is omitted: the answer to this SELECT is not whole.
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

  /** Whether the server has selected a mailbox without answering the UNSELECT before it. It must answer them in order (RFC 9051 5.5). */
  get hasLostReply(): boolean {
    return this.#hasLostReply
  }

  /** Near a literal, BAD may mean that the client has broken its own stream: what it sent next was read as something else. */
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
        // Refused while its literal is under way: the rest of the command still comes (RFC 7888 4).
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

  /** Whether the client has a BYE of the server. It gets no other one. */
  get hasServerBye(): boolean {
    return this.#hasServerBye
  }

  /** An ENABLED response with these extensions, in upper case. */
  enabled(extensions: readonly string[]): void {
    if (this.#enabling) this.connection.enabledByOne(extensions, this.#enabling.key)
    else this.connection.enabled(extensions)
  }

  /** @param cause how the session ended, or that it goes on with another connection */
  handBack(cause: Ending | 'moved'): HandBack {
    return {
      connection: this.connection,
      refusal: this.#refusal(cause),
      unanswered: this.#unanswered.map(({ tag }) => tag),
      idling: this.#idle === 'on',
      hadBad: this.#hadBad,
      // The session goes on: what it uses is not known yet.
      usesCondstore: cause === 'moved' ? undefined : this.#usesCondstore,
    }
  }

  #refusal(cause: Ending | 'moved'): HandBackRefusal | undefined {
    if (cause !== 'moved') {
      const lost = lostBy(cause)
      if (lost !== undefined) return lost
    }
    // The server would take the commands of a reset for the rest of this command.
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
