/**
 * Answer-ahead for one session: learns from its commands, asks the questions that the client is expected to ask next, and
 * answers them when it does. What is asked and held is in held.ts; what is learned, in ../ahead. A view that the client gets
 * is one that it could have had without: the server executed the question after the login, and before the client asked it.
 */
import type { EdgeMetrics, Log } from '@imapfleet/observe'
import { commute, looksAlike, type AnswerKind } from '../ahead/answers.ts'
import { Course } from '../ahead/course.ts'
import { aheadMax, type Knowledge } from '../ahead/knowledge.ts'
import { contentTypeBehind, readResponse, type Response } from '../ahead/responses.ts'
import { commandOf, usesSequenceNumbers, type Command, type Question } from '../ahead/shapes.ts'
import { uidCount, uidsOf } from '../ahead/uid-set.ts'
import { hasUnselect, offers } from '../imap/capability.ts'
import type { IdPairs } from '../imap/id.ts'
import { pageHintsIn } from '../imap/page-hints.ts'
import { untaggedAt } from '../imap/response-facts.ts'
import type { LineVerdict } from '../imap/response-scanner.ts'
import { literalSize } from '../imap/literal.ts'
import { verbIn, type CommandHead } from '../imap/verb.ts'
import { runtime } from '../runtime.ts'
import { randomName } from '../server/random-name.ts'
import type { Conversation, SentCommand } from './conversation.ts'
import type { Ending } from './ending.ts'
import type { BehindBarrier } from './behind-barrier.ts'
import { AskedAhead, Held, type DropReason } from './held.ts'

/** How a session asks ahead, as its server is configured. */
export interface AheadSetup {
  readonly upstream: string
  /** `learn`: nothing is asked. */
  readonly mode: 'learn' | 'on'
  /** Nothing is asked of a server that answers sooner than this. */
  readonly roundTripMinMs: number
  readonly knowledge: Knowledge
  /** The identity whose facts it uses. */
  readonly identity: string
  /** Parameters of the page, from the ID of the client program. */
  readonly hints?: ReadonlyMap<string, string>
  /** What was asked on the connection of the session while its login waited for the reset. */
  readonly behind?: BehindBarrier | undefined
}

export interface AheadContext {
  readonly metrics: Pick<EdgeMetrics, 'counters'>
  readonly log: Pick<Log, 'warn'>
  /** Coarse milliseconds. */
  readonly clock: { now(): number }
}

/** What a client's command finds. */
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

/** Mail is asked ahead up to this size: more than can be held would be read and thrown away. */
const bodyBytesMax = 131_072
const fetchedMax = 500
const expungeIssued = 'NO [EXPUNGEISSUED] Messages have been expunged, ask again\r\n'
const notUnderstood = 'NO [UNAVAILABLE] The answer of the mail server is not understood\r\n'

interface ClientCommand {
  readonly sent: SentCommand
  readonly command: Command
}

export class Ahead {
  readonly #setup: AheadSetup
  readonly #context: AheadContext
  readonly #mark: (text: () => string) => void
  readonly #course: Course
  #conversation!: Conversation
  #held!: Held
  /** The client's commands that the server has not answered. */
  #inFlight: ClientCommand[] = []
  /** The command that `admit` judged last, and the expected question that it asks. */
  #judged: Command | undefined
  #claimed: AskedAhead | undefined
  /** Flags told since the client's SELECT. An answer with flags that is then dropped would hide a change from the client. */
  #hasToldFlags = false
  /** The mailbox of the last SELECT that went to the server. */
  #mailbox: string | undefined
  /** The server has reported a change since that SELECT. */
  #hasChanged = false
  /** When a command went to the server that had nothing else to do. */
  #sentAt: number | undefined
  /** Something that questions depend on has changed. */
  #hasNews = false
  #used = 0

  /** @param mark writes a remark to the trace, if there is one */
  constructor(setup: AheadSetup, context: AheadContext, mark: (text: () => string) => void) {
    this.#setup = setup
    this.#context = context
    this.#mark = mark
    const { knowledge, identity, hints } = setup
    this.#course = new Course(knowledge.book, knowledge.user(identity), hints)
  }

  /** The session uses this conversation from now on. */
  attach(conversation: Conversation): void {
    const isFirst = this.#held === undefined
    if (!isFirst) this.#held.dropFrom(0, 'session-ended')
    this.#conversation = conversation
    this.#inFlight = []
    this.#held = new Held(
      (asked, reason) => this.#dropped(asked, reason),
      (bytes) => {
        const { upstream } = this.#setup
        this.#context.metrics.counters.ahead_dropped_bytes_total({ upstream }).value += bytes
      },
    )
    if (isFirst) this.#takeOver()
  }

  /** What was asked behind the barrier is held as if this session had asked it. */
  #takeOver(): void {
    for (const { asked, reply } of this.#setup.behind?.takeOver() ?? []) {
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

  #dropped({ question }: AskedAhead, reason: DropReason): void {
    const { upstream } = this.#setup
    this.#context.metrics.counters.ahead_dropped_total({ upstream, reason }).value++
    this.#mark(() => `answer-ahead: dropped ${question.name}: ${reason}`)
  }

  // Client to server.

  /** Decides on a command of the client that would go to the server. `lineFeed`: the end of the bytes if it is not whole. */
  admit(bytes: Buffer, at: number, { tagEnd }: CommandHead, lineFeed: number): AheadVerdict {
    const command = this.#read(bytes, at, tagEnd, lineFeed)
    this.#judged = command
    this.#course.tagged(bytes.toString('latin1', at, tagEnd))
    const held = this.#held
    if (!held.isActive && !held.mustLeave) return 'pass'
    held.dropStale(this.#context.clock.now())
    this.#claimed = held.claimable(command.text)
    if (this.#claimed !== undefined) return this.#conversation.mayAnswer ? 'claim' : 'wait'
    held.passedBy(command.question)
    if (held.mustLeave) return 'UNSELECT'
    const { unanswered } = held
    if (usesSequenceNumbers(command)) {
      // A command before it may still report an EXPUNGE.
      if (unanswered.length > 0) return 'wait'
      if (held.hasUntoldExpunge) return this.#conversation.mayAnswer ? 'expunge-issued' : 'wait'
    }
    // Between two SELECTs there is an UNSELECT, and the server answers these three one after the other.
    const isAlike = ({ answers }: AskedAhead) =>
      answers.kind !== 'select' && looksAlike(answers, command.answers)
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
    this.#inFlight.push({ sent, command })
    if (leaves(command)) {
      this.#held.forgetReports()
      this.#hasToldFlags = false
      this.#hasChanged = false
      this.#mailbox = command.selects
    }
    const isAlone = this.#inFlight.length === 1 && this.#held.unanswered.length === 0
    this.#sentAt = isAlone ? runtime.now() : undefined
  }

  /** The command that `admit` judged is answered by the edge. */
  answeredHere(): void {
    const command = this.#advance()
    if (leaves(command)) this.#mailbox = command.selects
  }

  #advance(): Command {
    const command = this.#judged!
    this.#course.advance(command)
    return command
  }

  /** Refuses the command that `admit` found to have wrong sequence numbers. */
  refuse(tag: string): string {
    this.#advance()
    return `${tag} ${expungeIssued}`
  }

  /** Answers the command that `admit` found to be an expected one, as far as its answer has arrived. */
  claim(tag: string): HeldAnswer {
    const { asked, bytes, isWithinResponse } = this.#held.claim(this.#claimed!, tag)
    const { counters } = this.#context.metrics
    const command = this.#advance()
    const isAnswered = asked.reply !== undefined
    counters.ahead_used_total({ upstream: this.#setup.upstream }).value++
    this.#used++
    if (isAnswered) counters.round_trips_saved_total.value++
    this.#mark(() => `answer-ahead: used ${asked.question.name}, ${isAnswered ? 'held' : 'streaming'}`)
    if (asked.question.selects !== undefined) this.#hasToldFlags = false
    if (asked.question.hasFlags) this.#hasToldFlags = true
    if (asked.question.enablesCondstore) this.#conversation.condstoreUsed()
    this.#recordSelect(asked)
    if (isAnswered) bytes.push(...this.#held.tellable(), Buffer.from(`${tag} ${asked.reply!}`, 'latin1'))
    else {
      this.#conversation.claimed(asked.sent)
      this.#inFlight.push({ sent: asked.sent, command })
    }
    return { bytes: Buffer.concat(bytes), isWithinResponse }
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
    this.#hasNews = false
    if (!this.#mayAsk()) return ''
    const { knowledge } = this.#setup
    const max = knowledge.commandsMax(this.#context.clock.now())
    const questions =
      max === 0 ? [] : this.#course.expected(max, this.#maySelect).map(({ question }) => question)
    this.#correct(questions)
    if (this.#held.mustLeave) return ''
    const refused: Question[] = []
    let text = ''
    for (const question of questions) {
      if (this.#held.expected.some((asked) => asked.question.text === question.text)) continue
      // The client asks what was refused itself, and that drops what does not commute with it.
      if (!refused.every((each) => commute(each, question)) || !this.#mayAskNow(question, max))
        refused.push(question)
      else text += this.#send(question)
    }
    return text
  }

  /** Asks again after the server has answered, if the answer says something new. */
  askAgain(): string {
    return this.#hasNews && this.#held.expected.length > 0 ? this.ask() : ''
  }

  #mayAsk(): boolean {
    const { mode, knowledge, roundTripMinMs } = this.#setup
    if (mode !== 'on' || this.#held.isLeaving || (knowledge.roundTripMs ?? -1) < roundTripMinMs) return false
    const { connection, scanner, selectCache, waitsFor, isIdling } = this.#conversation
    const { enabledKey, spoilReason } = connection
    if (spoilReason !== undefined || (enabledKey !== '' && enabledKey !== 'condstore')) return false
    if (!scanner.betweenCommands || waitsFor !== undefined || isIdling || selectCache.hasInherited)
      return false
    if (!connection.scanner.betweenResponses || this.#inFlight.length > 1) return false
    const command = this.#inFlight[0]?.command
    if (command === undefined) return true
    // What is asked must not be executed before a command that may change it, or that reads all mail.
    const { question } = command
    return question !== undefined && !usesSequenceNumbers(command) && !this.#wouldEnable(question)
  }

  /** The client alone decides to enable an extension. Where it is enabled, the question has no effect. */
  #wouldEnable({ enablesCondstore }: Question): boolean {
    return enablesCondstore && !this.#conversation.connection.hasCondstore
  }

  /** Drops what is expected with other values now. */
  #correct(questions: readonly Question[]): void {
    for (const asked of this.#held.expected) {
      const { text, shape } = asked.question
      if (questions.some((question) => question.text === text)) continue
      const hasOther = questions.some(
        (question) => question.shape === shape && looksAlike(question.answers, asked.question.answers),
      )
      if (hasOther && asked.state === 'expected') this.#held.correct(asked)
    }
  }

  #mayAskNow(question: Question, max: number): boolean {
    const { expected, unanswered, hasUntoldExpunge } = this.#held
    if (expected.length >= max || unanswered.length >= 2 * aheadMax) return false
    const answers = this.#answersOf(question)
    if (unanswered.some((asked) => looksAlike(asked.answers, answers))) {
      // It can be asked once the server has answered what looks like it.
      this.#hasNews = true
      return false
    }
    if (this.#inFlight.some(({ command }) => looksAlike(command.answers, answers))) return false
    const selecting = expected.find((asked) => asked.question.selects !== undefined)
    const mailbox = selecting?.question.selects ?? this.#course.mailbox
    if (question.needsMailbox && mailbox === undefined) return false
    if (question.usesNumbers && hasUntoldExpunge) return false
    if (this.#wouldEnable(question)) return false
    if (question.hasFlags && !this.#mayAskFlags(selecting !== undefined)) return false
    if (answers.kind === 'fetch' && answers.uids && uidCount(answers.uids) > fetchedMax) return false
    return question.bodiesOf === undefined || this.#isSmall(question.bodiesOf, mailbox!)
  }

  /** Whether a mailbox may be selected for the client: it has none, and this can be undone. */
  get #maySelect(): boolean {
    const { connection } = this.#conversation
    return (
      this.#course.mailbox === undefined &&
      (connection.mailbox === 'none' || this.#held.hasSelected) &&
      hasUnselect(connection.capabilities)
    )
  }

  #mayAskFlags(isSelecting: boolean): boolean {
    const others = [...this.#held.unanswered, ...this.#held.expected]
    if (others.some(({ question }) => question.hasFlags)) return false
    const tellsFlags = ({ command: { answers } }: ClientCommand) =>
      answers.kind === 'fetch' && answers.items.has('FLAGS')
    return isSelecting || (!this.#hasToldFlags && !this.#inFlight.some(tellsFlags))
  }

  #isSmall(set: NonNullable<Question['bodiesOf']>, mailbox: string): boolean {
    const facts = this.#course.facts(mailbox)
    const sizes = uidsOf(set, fetchedMax)?.map((uid) => facts.sizeOf(uid) ?? Infinity)
    return sizes !== undefined && sizes.reduce((sum, size) => sum + size, 0) <= bodyBytesMax
  }

  /** Two plain SEARCHes cannot be told apart, but ESEARCH names its tag. */
  #answersOf(question: Question): AnswerKind {
    return question.isPlainSearch && this.#hasEsearch ? { kind: 'esearch' } : question.answers
  }

  get #hasEsearch(): boolean {
    return offers(this.#conversation.connection.capabilities, 'ESEARCH')
  }

  #send(question: Question): string {
    const conversation = this.#conversation
    const tag = randomName('E')
    const answers = this.#answersOf(question)
    const isExtended = answers.kind !== question.answers.kind
    const text = isExtended ? question.text.replace(/^UID SEARCH /i, '$&RETURN (ALL) ') : question.text
    const word = Buffer.from(question.name)
    const verbEnd = question.name.startsWith('UID') ? 3 : word.length
    const sent = conversation.aheadSent(tag, verbIn(word, 0, verbEnd))
    if (question.selects !== undefined) {
      conversation.connection.mailboxMayBeSelected()
      this.#mailbox = question.selects
      this.#hasChanged = false
    }
    const depth = this.#held.unanswered.length + 1
    this.#held.add(new AskedAhead(question, sent, answers, depth, this.#context.clock.now()))
    this.#context.metrics.counters.ahead_asked_total({ upstream: this.#setup.upstream }).value++
    this.#mark(() => `answer-ahead: asked ${question.name}`)
    this.#sentAt = undefined
    return `${tag} ${text}\r\n`
  }

  /** The UNSELECT that `admit` asked for goes to the server. */
  unselectSent(tag: string): void {
    if (!this.#held.mustLeave) return
    this.#held.leaves(tag)
    this.#mailbox = undefined
  }

  // Server to client.

  /** Decides on an untagged response, from `start` to its line feed at `end`. */
  onUntagged(bytes: Buffer, start: number, end: number): LineVerdict {
    this.#measure()
    const response = readResponse(bytes.toString('latin1', untaggedAt(bytes, start), end + 1))
    if (!this.#held.isActive) {
      this.#note(response, this.#searchOf(response))
      this.#noteForm(response, bytes, end)
      if (tellsFlags(response)) this.#hasToldFlags = true
      return 'pass'
    }
    const taken = this.#held.take(response, {
      isAsking: this.#inFlight.length > 0,
      isSelecting: this.#inFlight.some(({ command }) => command.selects !== undefined),
      isFetching: this.#inFlight.some(isFetching),
    })
    if (taken.kind === 'omit') return 'omit'
    if (taken.isReport) this.#onReport()
    const { owner } = taken
    if (owner?.state !== 'void') {
      // The client does not know of it when it asks the next question.
      const isUntold = response.kind === 'expunge' && taken.kind === 'keep'
      this.#note(
        isUntold ? { ...response, number: undefined } : response,
        owner?.question.text ?? this.#searchOf(response),
      )
      this.#noteForm(response, bytes, end)
    }
    if (taken.kind === 'keep') return 'keep'
    if (tellsFlags(response)) this.#hasToldFlags = true
    return taken.before.length > 0 ? { before: Buffer.concat(taken.before) } : 'pass'
  }

  /** The mailbox is not what the server's answer to SELECT says. */
  #onReport(): void {
    this.#hasChanged = true
    this.#conversation.connection.forgetSelect()
  }

  /** The select cache has recorded an answer to SELECT. */
  selectRecorded(): void {
    if (this.#hasChanged) this.#conversation.connection.forgetSelect()
  }

  onKept(bytes: Buffer): void {
    this.#held.kept(bytes)
  }

  #measure(): void {
    if (this.#sentAt === undefined) return
    this.#setup.knowledge.measured(runtime.now() - this.#sentAt)
    this.#sentAt = undefined
  }

  /** What clients ask about a message depends on its content type, which lists show. */
  #noteForm(response: Response, bytes: Buffer, end: number): void {
    if (response.kind !== 'fetch' || response.uid === undefined || this.#mailbox === undefined) return
    const contentType = contentTypeBehind(bytes, end)
    if (contentType !== undefined)
      this.#course.facts(this.#mailbox).noteContentType(response.uid, contentType)
  }

  /** The client's search that a response answers, if there is only one. */
  #searchOf(response: Response): string | undefined {
    const searches = this.#inFlight.filter(({ command }) => command.isSearch)
    if (searches.length !== 1) return undefined
    const { sent, command } = searches[0]!
    return response.kind !== 'esearch' || response.tag === sent.tag ? command.text : undefined
  }

  #note(response: Response, search: string | undefined): void {
    if (response.kind === 'other') return
    if (response.kind === 'list' && response.name !== undefined) this.#course.user.noteListed(response.name)
    const mailbox = response.kind === 'status' ? response.mailbox : this.#mailbox
    if (mailbox === undefined) return
    const facts = this.#course.facts(mailbox)
    if (facts.note(response)) this.#hasNews = true
    if (search === undefined) return
    const uids = foundIn(response)
    if (uids !== undefined && facts.noteFound(search, uids)) this.#hasNews = true
  }

  /**
   * A tagged reply. `text`: from behind the tag, line end included.
   * @returns what the client gets instead; 'pass': the reply itself
   */
  onTagged(sent: SentCommand, isOk: boolean, text: string): LineVerdict {
    this.#measure()
    this.#held.left(sent.tag)
    const asked = this.#held.find(sent)
    if (asked === undefined) return sent.isOwn ? 'omit' : this.#onClientReply(sent, isOk)
    this.#answered(asked, isOk, text)
    if (asked.state !== 'claimed') return 'omit'
    this.#inFlight = this.#inFlight.filter((each) => each.sent !== sent)
    return this.#claimedReply(asked, isOk, text)
  }

  #answered(asked: AskedAhead, isOk: boolean, text: string): void {
    const wasExpected = asked.state === 'expected'
    const flaw = this.#held.replied(asked, isOk, text)
    // NO is an answer: the mailbox is gone, for example. BAD shows that the server did not understand the question here.
    const isBad = wasExpected && !isOk && !/^NO\b/i.test(text)
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

  #onClientReply(sent: SentCommand, isOk: boolean): LineVerdict {
    const command = this.#inFlight.find((each) => each.sent === sent)?.command
    this.#inFlight = this.#inFlight.filter((each) => each.sent !== sent)
    if (command?.selects !== undefined && !isOk) {
      // Whatever depends on it is refused too.
      this.#held.dropFrom(0, 'refused')
      this.#course.selectRefused()
      this.#mailbox = undefined
    }
    return this.told()
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

/** Whether the client's command leaves the mailbox that it had selected. */
const leaves = ({ selects, shape }: Command): boolean =>
  selects !== undefined || shape === 'UNSELECT' || shape === 'CLOSE'

const isFetching = ({ command: { answers, shape } }: ClientCommand): boolean =>
  answers.kind === 'fetch' || answers.kind === 'anything' || shape.endsWith('STORE')

const tellsFlags = (response: Response): boolean => response.kind === 'fetch' && response.items.has('FLAGS')

function foundIn(response: Response): readonly number[] | undefined {
  if (response.kind === 'search' || response.kind === 'sort') return response.uids
  if (response.kind !== 'esearch') return undefined
  return response.all ? uidsOf(response.all, 10_000) : []
}
