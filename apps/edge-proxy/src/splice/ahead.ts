/**
 * Answer-ahead for one session: learns from the client's commands, sends the questions that the client is expected to ask
 * next, and answers them when the client asks. The server executed each question after the login and before the client
 * asked it, so to the client this looks like a fast network.
 *
 * asking.ts decides which questions are sent, and when. held.ts matches responses to questions. ../ahead has what was learned.
 */
import { isMistakable } from '../ahead/answers.ts'
import { Course } from '../ahead/course.ts'
import { readResponse, tellsFlags, type Response } from '../ahead/responses.ts'
import { commandOf, usesSequenceNumbers, type Command, type Question } from '../ahead/shapes.ts'
import { parseUidSet, type UidSet } from '../ahead/uid-set.ts'
import { offers } from '../imap/capability.ts'
import type { IdPairs } from '../imap/id.ts'
import { literalSize } from '../imap/literal.ts'
import { pageHintsIn } from '../imap/page-hints.ts'
import { untaggedAt } from '../imap/response-facts.ts'
import type { LineVerdict } from '../imap/response-scanner.ts'
import type { CommandHead } from '../imap/verb.ts'
import type { AskedAhead } from './asked-ahead.ts'
import { Asking } from './asking.ts'
import type { AheadContext, AheadSetup } from './ahead-setup.ts'
import type { BehindBarrier } from './behind-barrier.ts'
import { ClientCommands } from './client-commands.ts'
import type { Conversation } from './conversation.ts'
import type { Ending } from './ending.ts'
import { Held, type DropReason } from './held.ts'
import { Learning } from './learning.ts'
import { Selections } from './selections.ts'
import type { SentCommand } from './sent-command.ts'
import { WayBack } from './way-back.ts'

/** Why held answers cannot be used; a field of `ahead_paused`. */
type FailReason = 'refused' | 'overdue' | 'anomaly' | 'unexpected-tag' | 'bye' | 'closed'

/** What to do with a client's command. */
export type AheadVerdict =
  /** It goes to the server. */
  | 'pass'
  /** It asks an expected question: `claim` answers it. */
  | 'claim'
  /** The command waits for earlier replies, or for the answer to an expected question. */
  | 'wait'
  /** The edge must send UNSELECT before the command. */
  | 'UNSELECT'
  /** The command uses sequence numbers that are no longer valid on the server (RFC 5530, EXPUNGEISSUED). */
  | 'expunge-issued'

/** An answer for the client, and whether the rest of it streams. */
export interface HeldAnswer {
  readonly bytes: Buffer
  readonly isWithinResponse: boolean
}

const expungeIssued = 'NO [EXPUNGEISSUED] Messages have been expunged, ask again\r\n'
const notUnderstood = 'NO [UNAVAILABLE] The answer of the mail server is not understood\r\n'

export class Ahead {
  readonly #setup: AheadSetup
  readonly #context: AheadContext
  readonly #behind: BehindBarrier | undefined
  readonly #mark: (text: () => string) => void
  readonly #course: Course
  readonly #learning: Learning
  /** The last command given to `admit`, and the expected question that it asks. */
  #judged: Command | undefined
  #claimed: AskedAhead | undefined
  #used = 0
  // State of the connection that the session uses now.
  #conversation!: Conversation
  #clientCommands!: ClientCommands
  #selections!: Selections
  #held!: Held
  #asking!: Asking
  #wayBack!: WayBack

  /**
   * @param behind questions that were sent on this connection while the login waited for its reset
   * @param mark writes a remark to the trace, if the user is traced
   */
  constructor(
    setup: AheadSetup,
    context: AheadContext,
    behind: BehindBarrier | undefined,
    mark: (text: () => string) => void,
  ) {
    this.#setup = setup
    this.#context = context
    this.#behind = behind
    this.#mark = mark
    const { knowledge, identity, hints } = setup
    this.#course = new Course(knowledge.book, knowledge.user(identity), hints)
    this.#learning = new Learning(knowledge, this.#course)
  }

  /** The session uses this conversation from now on. */
  attach(conversation: Conversation): void {
    const isFirst = this.#held === undefined
    if (!isFirst) this.#held.dropFrom(0, 'session-ended')
    const { clock } = this.#context
    this.#conversation = conversation
    this.#clientCommands = new ClientCommands()
    this.#selections = new Selections()
    this.#held = new Held(
      this.#selections,
      (asked, reason) => this.#dropped(asked, reason),
      (bytes) => this.#droppedBytes(bytes),
    )
    this.#wayBack = new WayBack(conversation, this.#held, this.#selections, clock)
    this.#asking = new Asking(
      {
        setup: this.#setup,
        clock,
        course: this.#course,
        conversation,
        clientCommands: this.#clientCommands,
        held: this.#held,
        selections: this.#selections,
      },
      (asked) => this.#asked(asked),
    )
    if (isFirst) this.#takeOver()
  }

  /** Holds the answers to questions behind the barrier as if this session had sent them. */
  #takeOver(): void {
    for (const { asked, reply } of this.#behind?.takeOver() ?? []) {
      if (reply === undefined) asked.sent = this.#conversation.aheadSent(asked.tag, asked.sent.verb)
      this.#held.add(asked)
      if (reply !== undefined) this.#answered(asked, reply.isOk, reply.text)
    }
  }

  /** How many commands of the client were answered ahead. */
  get used(): number {
    return this.#used
  }

  /** Whether responses must be checked against held answers, reports and an UNSELECT in flight. */
  get isActive(): boolean {
    return this.#held.isActive
  }

  /** Whether the server has selected, or will select, a mailbox that the client has not selected. */
  get hasSelected(): boolean {
    const { mustLeave, expected } = this.#held
    return mustLeave || expected.some(({ question }) => question.selects !== undefined)
  }

  /** Changes of the client's mailbox are unknown, or too many to keep. The session must end. */
  get hasLostMailbox(): boolean {
    return this.#wayBack.isLost || this.#held.isTooMuch
  }

  #asked({ question }: AskedAhead): void {
    const { upstream } = this.#setup
    this.#context.metrics.counters.ahead_asked_total({ upstream }).value++
    this.#mark(() => `answer-ahead: asked ${question.name}`)
  }

  #dropped({ question }: AskedAhead, reason: DropReason): void {
    const { upstream } = this.#setup
    this.#context.metrics.counters.ahead_dropped_total({ upstream, reason }).value++
    this.#mark(() => `answer-ahead: dropped ${question.name}: ${reason}`)
  }

  #droppedBytes(bytes: number): void {
    const { upstream } = this.#setup
    this.#context.metrics.counters.ahead_dropped_bytes_total({ upstream }).value += bytes
  }

  /** Drops held answers that are too old to be given. */
  dropStale(): void {
    if (this.#held.isActive) this.#held.dropStale(this.#context.clock.now())
  }

  // Client to server.

  /** Decides on a client's command that would go to the server. `lineFeed`: the end of the bytes if the line is incomplete. */
  admit(bytes: Buffer, at: number, { tagEnd }: CommandHead, lineFeed: number): AheadVerdict {
    const command = this.#read(bytes, at, tagEnd, lineFeed)
    this.#judged = command
    this.#course.tagged(bytes.toString('latin1', at, tagEnd))
    const held = this.#held
    if (this.#wayBack.isUnderWay) return 'wait'
    if (!held.isActive && !held.mustLeave) return 'pass'
    this.dropStale()
    const claimable = command.question && held.claimable(command.question)
    if (claimable === 'wait') return 'wait'
    this.#claimed = claimable
    if (claimable !== undefined) return 'claim'
    held.passedBy(command.question)
    if (held.mustLeave) return 'UNSELECT'
    const { unanswered } = held
    if (usesSequenceNumbers(command)) {
      // The server may still report an EXPUNGE before its reply to an earlier command.
      if (unanswered.length > 0) return 'wait'
      if (held.hasUntoldExpunge) return 'expunge-issued'
    }
    // Two SELECTs need no check: an UNSELECT separates them, and the server answers the three in order.
    const isAlike = ({ answers }: AskedAhead) =>
      answers.kind !== 'select' && isMistakable(command.answers, answers)
    return unanswered.some(isAlike) ? 'wait' : 'pass'
  }

  /** Parses the command without its tag and line end. A command with a literal or without CRLF is not parsed: it is unknown. */
  #read(bytes: Buffer, at: number, tagEnd: number, lineFeed: number): Command {
    const isWhole = lineFeed < bytes.length && lineFeed - at < 10_000
    const isPlain = isWhole && bytes[lineFeed - 1] === 13 && literalSize(bytes, at, lineFeed) === undefined
    const end = isPlain ? lineFeed - 1 : Math.min(lineFeed, tagEnd + 100)
    const text = bytes.toString('latin1', tagEnd + 1, end)
    return commandOf(isPlain ? text : `${text} {`)
  }

  /** The client has sent ID. */
  identified(pairs: IdPairs): void {
    this.#course.hinted(pageHintsIn([pairs]))
  }

  /** The last command given to `admit` goes to the server. */
  sent(sent: SentCommand): void {
    const command = this.#advance()
    const left = unselects(command) ? this.#selections.client : undefined
    this.#clientCommands.add(sent, command, left)
    if (command.selects !== undefined) this.#leave(command)
    if (mayKeepResult(command)) this.#selections.client.hasKeptResult = true
    if (stores(command)) this.#selections.client.noteStore(uidsIn(command))
    this.#noteFlagsAsked(command)
    this.#learning.sent(sent)
  }

  /** Also an answer without responses tells flags: those that match no search, or have not changed since. */
  #noteFlagsAsked(command: Command): void {
    const { client } = this.#selections
    if (fetchesFlags(command) || searchesFlags(command)) client.hasToldFlags = true
  }

  /** The client leaves its mailbox and selects this one, or none. */
  #leave({ selects, question }: Command): void {
    this.#held.forgetReports()
    this.#selections.selected(selects, question?.text)
    this.#selections.isCacheable = true
  }

  /** The edge answers the last command given to `admit`. */
  answeredHere(): void {
    const command = this.#advance()
    if (command.selects !== undefined || unselects(command)) this.#selections.selected(command.selects)
  }

  #advance(): Command {
    const command = this.#judged!
    this.#asking.advance()
    this.#course.advance(command)
    // Facts of the user are saved at each SELECT, because most facts are about one mailbox.
    if (command.selects !== undefined) this.#setup.knowledge.keep(this.#setup.identity, this.#course.user)
    return command
  }

  /** Refuses the command after `admit` returned 'expunge-issued'. */
  refuse(tag: string): string {
    this.#advance()
    return `${tag} ${expungeIssued}`
  }

  /** Answers the command after `admit` returned 'claim', as far as the answer has arrived. */
  claim(tag: string): HeldAnswer {
    const leavesOther = this.#claimed!.question.selects !== undefined && this.#selections.client.mailbox
    const { asked, bytes, isWithinResponse } = this.#held.claim(this.#claimed!, tag, this.#judged!.question!)
    // The edge left the other mailbox by UNSELECT, so the server sent no CLOSED.
    if (leavesOther && this.#tellsClosed) bytes.unshift(Buffer.from(closed))
    const { counters } = this.#context.metrics
    const command = this.#advance()
    const isAnswered = asked.reply !== undefined
    counters.ahead_used_total({ upstream: this.#setup.upstream }).value++
    this.#used++
    if (isAnswered) counters.round_trips_saved_total.value++
    this.#mark(() => `answer-ahead: used ${asked.question.name}, ${isAnswered ? 'held' : 'streaming'}`)
    this.#noteFlagsAsked(command)
    if (asked.question.enablesCondstore) this.#conversation.condstoreUsed()
    this.#recordSelect(asked)
    if (isAnswered) bytes.push(...this.#held.tellable(), Buffer.from(`${tag} ${asked.reply!}`, 'latin1'))
    else {
      this.#conversation.claimed(asked.sent)
      this.#clientCommands.add(asked.sent, command)
    }
    return { bytes: Buffer.concat(bytes), isWithinResponse }
  }

  /** Whether the server sends CLOSED when a SELECT leaves another mailbox (RFC 7162 3.2.11, RFC 9051 7.1). */
  get #tellsClosed(): boolean {
    const { capabilities } = this.#conversation.connection
    return offers(capabilities, 'QRESYNC') || offers(capabilities, 'IMAP4REV2')
  }

  /** Records the answer to a claimed SELECT in the select cache, as if it had just arrived. */
  #recordSelect(asked: AskedAhead): void {
    const { selectCache } = this.#conversation
    if (asked.question.selects === undefined || !selectCache.isRecording) return
    for (const { chunks } of asked.responses) {
      const line = Buffer.concat(chunks)
      if (line.at(-1) === 10) selectCache.onUntagged(line, 0, line.length - 1, false)
    }
    if (asked.reply === undefined || !selectCache.isRecording) return
    selectCache.onReply(true, asked.reply)
    this.selectRecorded()
  }

  /**
   * Call after the client's bytes have passed, if they end with a complete command.
   * @returns questions to send to the server now, as protocol lines; usually none
   */
  ask(): string {
    return this.#asking.ask()
  }

  /** Call after the server has sent something. Like `ask`, but only if new facts or replies may change what can be asked. */
  askAgain(): string {
    return this.#asking.askAgain()
  }

  /**
   * An UNSELECT of the edge goes to the server.
   * @returns commands to send after it, which select the client's mailbox again; empty if this is not needed
   */
  unselectSent(tag: string): string {
    if (!this.#held.mustLeave) return ''
    const from = this.#selections.client
    // After BAD to a SELECT that is not parsed here, the server may still have the client's mailbox selected.
    const isOver = from.mailbox === undefined || this.#judged!.question?.selects !== undefined
    this.#held.leaves(tag)
    if (isOver) {
      this.#selections.client = this.#selections.add(tag)
      return ''
    }
    this.#held.dropFrom(0, 'not-asked')
    const text = this.#wayBack.begin(from, this.#selections.add(tag, from.mailbox, from.command))
    if (this.#wayBack.isUnderWay) this.#mark(() => 'answer-ahead: selects the mailbox of the client again')
    return text
  }

  // Server to client.

  /** Decides on an untagged response, from `start` to its line feed at `end`. */
  onUntagged(bytes: Buffer, start: number, end: number): LineVerdict {
    const text = bytes.toString('latin1', untaggedAt(bytes, start), end + 1)
    const response = readResponse(text)
    if (!this.#held.isActive) {
      this.#selections.server.note(response, this.#clientCommands.isSelecting, text)
      this.#learn(response, this.#clientCommands.searchOf(response), bytes, end)
      if (tellsFlags(response)) this.#selections.client.hasToldFlags = true
      return 'pass'
    }
    const { server } = this.#selections
    const taken = this.#held.take(response, this.#clientCommands, server.count)
    const { owner } = taken
    const isAnswer =
      owner === undefined ? this.#clientCommands.isSelecting : owner.question.selects !== undefined
    // While the server is about to leave the client's mailbox, changes are not noted: the client's view of it must stay as
    // it is. If the mailbox is selected again, all changes since are found and reported.
    const isLeft = server === this.#selections.client && server !== this.#selections.last
    if (!isLeft && !this.#held.isLeaving) server.note(response, isAnswer, text)
    if (taken.kind === 'omit') return 'omit'
    if (taken.isReport) this.#onReport()
    if (owner?.state !== 'void') {
      // The client does not know yet that this message is gone, and may still ask for it.
      const isUntold = response.kind === 'expunge' && taken.kind === 'keep'
      const known = isUntold ? { ...response, number: undefined } : response
      const search = owner === undefined ? this.#clientCommands.searchOf(response) : owner.searched
      this.#learn(known, search, bytes, end)
    }
    if (taken.kind === 'keep') return 'keep'
    if (tellsFlags(response)) this.#selections.client.hasToldFlags = true
    return taken.before.length > 0 ? { before: Buffer.concat(taken.before) } : 'pass'
  }

  #learn(response: Response, search: string | undefined, bytes: Buffer, end: number): void {
    if (this.#learning.note(response, this.#selections.server, search, bytes, end)) this.#asking.newsArrived()
  }

  /** The mailbox has changed since the server's answer to SELECT, so this answer must not be cached. */
  #onReport(): void {
    this.#selections.isCacheable = false
    this.#conversation.connection.forgetSelect()
  }

  /** The select cache has recorded an answer to SELECT. */
  selectRecorded(): void {
    if (!this.#selections.isCacheable) this.#conversation.connection.forgetSelect()
  }

  onKept(bytes: Buffer): void {
    this.#held.kept(bytes)
  }

  /** Whether the server may refuse this command of the edge although it works as it should. */
  mayBeRefused({ tag }: SentCommand): boolean {
    return this.#held.mayBeRefused(tag)
  }

  /**
   * A tagged reply. `text`: everything after the tag, line end included.
   * @returns what the client gets in its place; 'pass': the reply unchanged
   */
  onTagged(sent: SentCommand, isOk: boolean, text: string): LineVerdict {
    this.#learning.replied(sent)
    this.#held.left(sent.tag, isOk)
    const asked = this.#held.find(sent)
    if (asked === undefined) return sent.isOwn ? 'omit' : this.#onClientReply(sent, isOk, text)
    this.#answered(asked, isOk, text)
    if (asked.state === 'returning') this.#wayBack.answered(isOk)
    if (asked.state !== 'claimed') return 'omit'
    this.#clientCommands.takeOut(sent)
    return this.#claimedReply(asked, isOk, text)
  }

  #answered(asked: AskedAhead, isOk: boolean, text: string): void {
    const { state, question } = asked
    const flaw = this.#held.replied(asked, isOk, text)
    // NO is a valid answer, for example if the mailbox is gone. BAD means that the server did not understand the question.
    // It is also BAD that the mailbox has fewer messages now, so that the numbers in the question are too high.
    const hasNumbers = asked.wider?.kind === 'numbered'
    const isBad = state === 'expected' && isRefusal(isOk, text) && !hasNumbers
    if (isBad) this.#setup.knowledge.refused(question)
    else if (state === 'claimed') this.#noteUnderstood(question, !isRefusal(isOk, text))
    if (isBad) this.fail('refused', [asked])
    else if (flaw === 'anomaly') this.fail('anomaly')
    else if (isOk) this.#setup.knowledge.answered(asked.depth)
  }

  /** The tagged reply to a claimed command, for the client. */
  #claimedReply(asked: AskedAhead, isOk: boolean, text: string): Buffer {
    const { clientTag } = asked
    const data = asked.isRewritten && isOk ? asked.rewritten(clientTag) : Buffer.alloc(0)
    const isUsable = data !== undefined && !asked.hasWrongNumbers
    const reply = isUsable ? text : asked.hasWrongNumbers ? expungeIssued : notUnderstood
    const parts = [
      ...(isUsable ? [data] : []),
      ...this.#held.tellable(),
      Buffer.from(`${clientTag} ${reply}`, 'latin1'),
    ]
    return Buffer.concat(parts)
  }

  #onClientReply(sent: SentCommand, isOk: boolean, text: string): LineVerdict {
    const { command, leaves } = this.#clientCommands.takeOut(sent) ?? {}
    if (command?.question !== undefined) this.#noteUnderstood(command.question, !isRefusal(isOk, text))
    if (command?.selects !== undefined && !isOk) {
      // The server also refuses questions that depend on this SELECT.
      this.#held.dropFrom(0, 'refused')
      this.#course.selectRefused()
      this.#selections.selected()
    }
    // After a refused UNSELECT the mailbox is still selected, and the client still gets reports about it.
    if (command !== undefined && leaves === this.#selections.client && isOk) this.#leave(command)
    return this.told()
  }

  #noteUnderstood(question: Question, isUnderstood: boolean): void {
    const { knowledge } = this.#setup
    if (isUnderstood) knowledge.understood(question)
    // Without a selected mailbox, the server refuses every question about one. This says nothing about the question.
    else if (!question.needsMailbox || this.#selections.client.mailbox !== undefined)
      knowledge.refused(question)
  }

  /** Reports about the client's mailbox that go to the client before a tagged reply or a continuation request. */
  told(): LineVerdict {
    const told = this.#held.tellable()
    return told.length > 0 ? { before: Buffer.concat(told) } : 'pass'
  }

  /**
   * Drops all held answers, after an answer that makes them unsafe. Pauses answer-ahead for this server, unless the cause is
   * something else than the number of questions at once: a server also disconnects because it restarts, or because the
   * mailbox is deleted or damaged.
   * @param causes questions that may be the cause
   */
  fail(reason: FailReason, causes: readonly AskedAhead[] = this.#held.unanswered): void {
    const isWrong = reason === 'anomaly' || reason === 'unexpected-tag'
    if (causes.length === 0 && reason !== 'anomaly') return
    this.#held.dropFrom(0, reason === 'refused' ? 'refused' : 'anomaly')
    const { knowledge, upstream } = this.#setup
    const now = this.#context.clock.now()
    const wasPaused = knowledge.commandsMax(now) === 0
    if (isWrong || causes.some(({ isTried }) => !isTried)) knowledge.failed(now)
    else if (reason !== 'refused') knowledge.cutOff(now)
    if (!wasPaused && knowledge.commandsMax(now) === 0)
      this.#context.log.warn('ahead_paused', { upstream, reason })
  }

  /**
   * A command of the client has waited too long for the reply to a question. The server can answer the command itself, unless
   * its answer looks like that to the question.
   * @returns whether the command no longer waits for an expected question, and must be judged again
   */
  giveUp(): boolean {
    if (this.#held.expected.length === 0) return false
    const overdue = this.#held.unanswered.filter(({ state }) => state === 'expected')
    for (const { question } of overdue) this.#setup.knowledge.refused(question)
    this.fail('overdue')
    return true
  }

  /** The session has ended. */
  end(ending: Ending): void {
    const { knowledge, identity } = this.#setup
    if (ending.kind === 'upstream-gone') this.fail('closed')
    this.#held.dropFrom(0, 'session-ended')
    if (ending.kind === 'logout') this.#course.end()
    knowledge.keep(identity, this.#course.user)
  }
}

const closed = '* OK [CLOSED] Previous mailbox closed.\r\n'

/** Whether the reply is BAD: the server does not understand the command. */
const isRefusal = (isOk: boolean, reply: string): boolean => !isOk && !/^NO\b/i.test(reply)

/** Whether the server may keep the result of the command: RETURN (SAVE), also in several mailboxes (RFC 5182, RFC 7377). */
const mayKeepResult = ({ question, text }: Command): boolean =>
  question === undefined && /^(?:UID +)?E?(?:SEARCH|SORT|THREAD) +(?:RETURN|IN)\b/i.test(text)

/** Whether the client sets flags of messages. */
const stores = ({ shape }: Command): boolean => shape === 'STORE' || shape === 'UID STORE'

/** Whether the client asks for flags of messages. A FETCH that is not parsed may do so, for example with CHANGEDSINCE. */
const fetchesFlags = ({ shape, answers }: Command): boolean =>
  /^(?:UID )?FETCH\b/.test(shape) && (answers.kind !== 'fetch' || answers.items.has('FLAGS'))

/** Whether the result of a search depends on flags. After a literal, the rest of the command is unknown. */
const searchesFlags = ({ shape, text }: Command): boolean =>
  /^(?:UID )?E?(?:SEARCH|SORT|THREAD)\b/.test(shape) && (text.endsWith(' {') || flagKey.test(text))

const flagKey = /\b(?:(?:UN)?(?:ANSWERED|DELETED|DRAFT|FLAGGED|SEEN|KEYWORD)|NEW|OLD|RECENT|MODSEQ)\b/i

/** Undefined: other messages, or unknown ones. */
const uidsIn = ({ text }: Command): UidSet | undefined =>
  parseUidSet(/^UID STORE (\S+) /i.exec(text)?.[1] ?? '')

/** Whether the command leaves the selected mailbox without selecting another one. */
const unselects = ({ shape }: Command): boolean => shape === 'UNSELECT' || shape === 'CLOSE'
