/**
 * Answer-ahead for one session: learns from its commands, asks the questions that the client is expected to ask next, and
 * answers them when it does. A view that the client gets is one that it could have had without: the server executed the
 * question after the login, and before the client asked it.
 *
 * What is asked when is decided in asking.ts, and which answer belongs to what in held.ts. What is learned is in ../ahead.
 */
import { isMistakable } from '../ahead/answers.ts'
import { Course } from '../ahead/course.ts'
import { readResponse, tellsFlags, type Response } from '../ahead/responses.ts'
import { commandOf, usesSequenceNumbers, type Command, type Question } from '../ahead/shapes.ts'
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

/** What a client's command finds. An answer of the edge waits for its turn. */
export type AheadVerdict =
  /** It goes to the server. */
  | 'pass'
  /** It is the expected one: `claim` answers it. */
  | 'claim'
  /** Earlier replies come first. */
  | 'wait'
  /** The edge must send UNSELECT before it. */
  | 'UNSELECT'
  /** Its sequence numbers are not those of the server any more (RFC 5530, EXPUNGEISSUED). */
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
  /** The command that `admit` judged last, and the expected question that it asks. */
  #judged: Command | undefined
  #claimed: AskedAhead | undefined
  #used = 0
  // On the connection that the session uses.
  #conversation!: Conversation
  #clientCommands!: ClientCommands
  #selections!: Selections
  #held!: Held
  #asking!: Asking
  #wayBack!: WayBack

  /**
   * @param behind what was asked on the connection of the session while its login waited for the reset
   * @param mark writes a remark to the trace, if there is one
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

  /** What was asked behind the barrier is held as if this session had asked it. */
  #takeOver(): void {
    for (const { asked, reply } of this.#behind?.takeOver() ?? []) {
      if (reply === undefined) asked.sent = this.#conversation.aheadSent(asked.tag, asked.sent.verb)
      this.#held.add(asked)
      if (reply !== undefined) this.#answered(asked, reply.isOk, reply.text)
    }
  }

  /** Answers that the client got. */
  get used(): number {
    return this.#used
  }

  /** Whether a response may belong to a command that was asked ahead. */
  get isActive(): boolean {
    return this.#held.isActive
  }

  /** The mailbox that is selected was asked ahead, and the client has not asked for it. */
  get hasSelected(): boolean {
    const { mustLeave, expected } = this.#held
    return mustLeave || expected.some(({ question }) => question.selects !== undefined)
  }

  /** What the client would have to be told of its mailbox is not known, or too much. */
  get hasLostMailbox(): boolean {
    return this.#wayBack.isLost || this.#held.isTooMuch
  }

  #asked({ question }: AskedAhead): void {
    const { upstream } = this.#setup
    this.#context.metrics.counters.ahead_asked_total({ upstream }).value++
    this.#mark(() => `answer-ahead: asked ${question.name}`)
    this.#learning.sent(false)
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

  /** Decides on a command of the client that would go to the server. `lineFeed`: the end of the bytes if it is not whole. */
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
      // A command before it may still report an EXPUNGE.
      if (unanswered.length > 0) return 'wait'
      if (held.hasUntoldExpunge) return 'expunge-issued'
    }
    // Between two SELECTs there is an UNSELECT, and the server answers these three one after the other.
    const isAlike = ({ answers }: AskedAhead) =>
      answers.kind !== 'select' && isMistakable(command.answers, answers)
    return unanswered.some(isAlike) ? 'wait' : 'pass'
  }

  /** The command without its tag and line end. One with a literal or an odd line end is not parsed. */
  #read(bytes: Buffer, at: number, tagEnd: number, lineFeed: number): Command {
    const isWhole = lineFeed < bytes.length && lineFeed - at < 10_000
    const isPlain = isWhole && bytes[lineFeed - 1] === 13 && literalSize(bytes, at, lineFeed) === undefined
    const end = isPlain ? lineFeed - 1 : Math.min(lineFeed, tagEnd + 100)
    const text = bytes.toString('latin1', tagEnd + 1, end)
    return commandOf(isPlain ? text : `${text} {`)
  }

  /** The client has identified itself. */
  identified(pairs: IdPairs): void {
    this.#course.hinted(pageHintsIn([pairs]))
  }

  /** The command that `admit` judged goes to the server. */
  sent(sent: SentCommand): void {
    const command = this.#advance()
    const left = unselects(command) ? this.#selections.client : undefined
    this.#clientCommands.add(sent, command, left)
    if (command.selects !== undefined) this.#leave(command)
    this.#learning.sent(this.#clientCommands.count === 1 && this.#held.unanswered.length === 0)
  }

  /** The client leaves its mailbox for this one, or for none. */
  #leave({ selects, question }: Command): void {
    this.#held.forgetReports()
    this.#selections.selected(selects, question?.text)
    this.#selections.isCacheable = true
  }

  /** The command that `admit` judged is answered by the edge. */
  answeredHere(): void {
    const command = this.#advance()
    if (command.selects !== undefined || unselects(command)) this.#selections.selected(command.selects)
  }

  #advance(): Command {
    const command = this.#judged!
    this.#asking.advance()
    this.#course.advance(command)
    // Most facts are about one mailbox.
    if (command.selects !== undefined) this.#setup.knowledge.keep(this.#setup.identity, this.#course.user)
    return command
  }

  /** Refuses the command that `admit` found to have wrong sequence numbers. */
  refuse(tag: string): string {
    this.#advance()
    return `${tag} ${expungeIssued}`
  }

  /** Answers the command that `admit` found to be an expected one, as far as its answer has arrived. */
  claim(tag: string): HeldAnswer {
    const leavesOther = this.#claimed!.question.selects !== undefined && this.#selections.client.mailbox
    const { asked, bytes, isWithinResponse } = this.#held.claim(this.#claimed!, tag, this.#judged!.question!)
    // The edge has left it by UNSELECT.
    if (leavesOther && this.#tellsClosed) bytes.unshift(Buffer.from(closed))
    const { counters } = this.#context.metrics
    const command = this.#advance()
    const isAnswered = asked.reply !== undefined
    counters.ahead_used_total({ upstream: this.#setup.upstream }).value++
    this.#used++
    if (isAnswered) counters.round_trips_saved_total.value++
    this.#mark(() => `answer-ahead: used ${asked.question.name}, ${isAnswered ? 'held' : 'streaming'}`)
    if (asked.question.hasFlags) this.#selections.client.hasToldFlags = true
    if (asked.question.enablesCondstore) this.#conversation.condstoreUsed()
    this.#recordSelect(asked)
    if (isAnswered) bytes.push(...this.#held.tellable(), Buffer.from(`${tag} ${asked.reply!}`, 'latin1'))
    else {
      this.#conversation.claimed(asked.sent)
      this.#clientCommands.add(asked.sent, command)
    }
    return { bytes: Buffer.concat(bytes), isWithinResponse }
  }

  /** Whether the server says so if a SELECT leaves another mailbox (RFC 7162 3.2.11, RFC 9051 7.1). */
  get #tellsClosed(): boolean {
    const { capabilities } = this.#conversation.connection
    return offers(capabilities, 'QRESYNC') || offers(capabilities, 'IMAP4REV2')
  }

  /** The select cache gets a claimed SELECT as if it had just been answered. */
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
   * The questions that are to go to the server now, as it gets them; usually none. The client's last bytes have passed, and
   * they end with a whole command.
   */
  ask(): string {
    return this.#asking.ask()
  }

  /** Asks again after the server has answered, if the answer says something new. */
  askAgain(): string {
    return this.#asking.askAgain()
  }

  /**
   * The UNSELECT that `admit` asked for goes to the server.
   * @returns what goes behind it: the client gets the mailbox back that it has selected
   */
  unselectSent(tag: string): string {
    if (!this.#held.mustLeave) return ''
    const from = this.#selections.client
    const isOver = from.mailbox === undefined || this.#judged!.selects !== undefined
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
    this.#learning.received()
    const response = readResponse(bytes.toString('latin1', untaggedAt(bytes, start), end + 1))
    if (!this.#held.isActive) {
      this.#selections.server.note(response, this.#clientCommands.isSelecting)
      this.#learn(response, this.#clientCommands.searchOf(response), bytes, end)
      if (tellsFlags(response)) this.#selections.client.hasToldFlags = true
      return 'pass'
    }
    const { server } = this.#selections
    const taken = this.#held.take(response, this.#clientCommands, server.count)
    const { owner } = taken
    const isAnswer =
      owner === undefined ? this.#clientCommands.isSelecting : owner.question.selects !== undefined
    // What the client is not told of the mailbox that the server is about to leave, it is told when it gets it back.
    const isLeft = server === this.#selections.client && server !== this.#selections.last
    if (!isLeft && !this.#held.isLeaving) server.note(response, isAnswer)
    if (taken.kind === 'omit') return 'omit'
    if (taken.isReport) this.#onReport()
    if (owner?.state !== 'void') {
      // The client does not know of it when it asks the next question.
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

  /** The mailbox is not what the server's answer to SELECT says. */
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

  /**
   * A tagged reply. `text`: from behind the tag, line end included.
   * @returns what the client gets instead; 'pass': the reply itself
   */
  onTagged(sent: SentCommand, isOk: boolean, text: string): LineVerdict {
    this.#learning.received()
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
    // NO is an answer: the mailbox is gone, for example. BAD shows that the server did not understand the question here.
    const isBad = state === 'expected' && isRefusal(isOk, text)
    if (isBad) this.#setup.knowledge.refused(question)
    else if (state === 'claimed') this.#noteUnderstood(question, !isRefusal(isOk, text))
    if (isBad || flaw === 'anomaly') this.fail(isBad ? 'refused' : 'anomaly')
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
      // Whatever depends on it is refused too.
      this.#held.dropFrom(0, 'refused')
      this.#course.selectRefused()
      this.#selections.selected()
    }
    // A refused UNSELECT leaves nothing, and the client is still told what happens to its mailbox.
    if (command !== undefined && leaves === this.#selections.client && isOk) this.#leave(command)
    return this.told()
  }

  #noteUnderstood(question: Question, isUnderstood: boolean): void {
    const { knowledge } = this.#setup
    if (isUnderstood) knowledge.understood(question)
    // Without a mailbox, any question about one is refused.
    else if (!question.needsMailbox || this.#selections.client.mailbox !== undefined)
      knowledge.refused(question)
  }

  /** What the client is told of its mailbox before a reply that may carry it. */
  told(): LineVerdict {
    const told = this.#held.tellable()
    return told.length > 0 ? { before: Buffer.concat(told) } : 'pass'
  }

  /** The server answers in a way that makes asking ahead unsafe. */
  fail(reason: 'refused' | 'anomaly' | 'bye' | 'unexpected-tag' | 'closed'): void {
    if (this.#held.unanswered.length === 0 && reason !== 'refused' && reason !== 'anomaly') return
    this.#held.dropFrom(0, 'anomaly')
    this.#setup.knowledge.failed(this.#context.clock.now())
    this.#context.log.warn('ahead_paused', { upstream: this.#setup.upstream, reason })
  }

  /** The session has ended. */
  end(ending: Ending): void {
    const { knowledge, identity } = this.#setup
    const isUntried = this.#held.unanswered.some(
      ({ depth }) => depth >= knowledge.commandsMax(this.#context.clock.now()),
    )
    if (ending.kind === 'upstream-gone' && isUntried) this.fail('closed')
    this.#held.dropFrom(0, 'session-ended')
    if (ending.kind === 'logout') this.#course.end()
    knowledge.keep(identity, this.#course.user)
  }
}

const closed = '* OK [CLOSED] Previous mailbox closed.\r\n'

/** Neither OK nor NO: the server does not understand the command. */
const isRefusal = (isOk: boolean, reply: string): boolean => !isOk && !/^NO\b/i.test(reply)

/** Whether the client's command leaves the mailbox that it had selected, for no other one. */
const unselects = ({ shape }: Command): boolean => shape === 'UNSELECT' || shape === 'CLOSE'
