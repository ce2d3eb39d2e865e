/**
 * Decides which of the expected questions go to the server now. An allow list in ../ahead says which commands are questions.
 * A question is sent only if the server will execute it in the right mailbox, if its answer cannot be mistaken for another
 * one and can be held, and if its effect can be undone when the client does something else.
 */
import { commute, looksAlike, type AnswerKind } from '../ahead/answers.ts'
import type { Course, Expected } from '../ahead/course.ts'
import { aheadMax } from '../ahead/knowledge.ts'
import { isAboutSelection, usesSequenceNumbers, type Question } from '../ahead/shapes.ts'
import { uidCount, uidsOf } from '../ahead/uid-set.ts'
import { copiesIn, partsIn, widerText, widerThan, withAllMessages, type Wider } from '../ahead/wider.ts'
import { hasEsearch, hasUnselect } from '../imap/capability.ts'
import { verbOf } from '../imap/verb.ts'
import { randomName } from '../server/random-name.ts'
import type { AheadSetup } from './ahead-setup.ts'
import { AskedAhead } from './asked-ahead.ts'
import type { ClientCommands } from './client-commands.ts'
import type { Conversation } from './conversation.ts'
import type { Held } from './held.ts'
import type { Selections } from './selections.ts'

/** The state that decides what is asked. */
interface Situation {
  readonly setup: AheadSetup
  readonly clock: { now(): number }
  readonly course: Course
  readonly conversation: Conversation
  readonly clientCommands: ClientCommands
  readonly held: Held
  readonly selections: Selections
}

/** Mail up to this size is asked ahead. Larger mail could not be held, and the server would send it for nothing. */
const bodyBytesMax = 131_072
const fetchedMax = 500

export class Asking {
  readonly #setup: AheadSetup
  readonly #clock: { now(): number }
  readonly #course: Course
  readonly #conversation: Conversation
  readonly #clientCommands: ClientCommands
  readonly #held: Held
  readonly #selections: Selections
  readonly #onAsked: (asked: AskedAhead) => void
  /** Questions sent since the client's last command. None of them is sent again before its next command. */
  readonly #sinceCommand = new Set<string>()
  /** Facts or replies that questions depend on have changed since the last `ask`. */
  #hasNews = false

  constructor(situation: Situation, onAsked: (asked: AskedAhead) => void) {
    this.#setup = situation.setup
    this.#clock = situation.clock
    this.#course = situation.course
    this.#conversation = situation.conversation
    this.#clientCommands = situation.clientCommands
    this.#held = situation.held
    this.#selections = situation.selections
    this.#onAsked = onAsked
  }

  /** The client has sent a command. */
  advance(): void {
    this.#sinceCommand.clear()
  }

  /** An answer of the server may change which questions are expected. */
  newsArrived(): void {
    this.#hasNews = true
  }

  /** Call after the server has sent something. Asks again if this may change the questions. */
  askAgain(): string {
    return this.#hasNews && this.#held.expected.length > 0 ? this.ask() : ''
  }

  /** @returns questions to send to the server now, as protocol lines; usually none */
  ask(): string {
    this.#hasNews = false
    if (!this.#mayAsk()) return ''
    const max = this.#setup.knowledge.commandsMax(this.#clock.now())
    const questions = max === 0 ? [] : this.#expected(max)
    this.#correct(questions)
    this.#makeWay(questions)
    if (this.#held.mustLeave) return ''
    const refused: Question[] = []
    let text = ''
    for (const each of questions) {
      const { question } = each
      if (this.#isAsked(each)) continue
      const key = `${each.selects} ${each.isAgain === true} ${question.text}`
      const wasDropped = this.#sinceCommand.has(key)
      // The client will ask a refused question itself, and this drops the answers that do not commute with it.
      if (wasDropped || !refused.every((other) => commute(other, question)) || !this.#mayAskNow(each, max))
        refused.push(question)
      else {
        this.#sinceCommand.add(key)
        text += this.#send(question)
      }
    }
    return text
  }

  // What is expected.

  /** Whether anything may be asked. */
  #mayAsk(): boolean {
    const { mode, knowledge, roundTripMinMs } = this.#setup
    if (mode !== 'on' || this.#held.isLeaving || (knowledge.roundTripMs ?? -1) < roundTripMinMs) return false
    const { connection, scanner, selectCache, waitsFor, isIdling } = this.#conversation
    const { enabledKey, spoilReason } = connection
    if (spoilReason !== undefined || (enabledKey !== '' && enabledKey !== 'condstore')) return false
    if (!scanner.betweenCommands || waitsFor !== undefined || isIdling || selectCache.hasInherited)
      return false
    if (!connection.scanner.betweenResponses || this.#clientCommands.count > 1) return false
    const command = this.#clientCommands.first
    if (command === undefined) return true
    // The unanswered command must be a question, which changes nothing: the server may execute later questions before it.
    const { question } = command
    return question !== undefined && !usesSequenceNumbers(command) && !this.#wouldEnable(question)
  }

  #expected(max: number): Expected[] {
    const { expected: held } = this.#held
    const isOpen = (question: Question, mailbox: string) =>
      !held.some((asked) => asked.covers(question)) && this.#isBounded(question, mailbox)
    const inPlaceOf = (question: Question, mailbox: string) =>
      this.#hasEsearch ? withAllMessages(question, this.#course.facts(mailbox)) : question
    return this.#course.expected({
      max,
      maySelect: this.#maySelect,
      mayLeave: this.#canReturn,
      inPlaceOf,
      isOpen,
    })
  }

  /** Whether the question was sent already, and the client has not asked it yet. */
  #isAsked({ question, selects, isAgain }: Expected): boolean {
    const { expected } = this.#held
    const isHere = (index: number) =>
      !isAboutSelection(question) || selects === selectsIn(expected.slice(0, index))
    const asked = expected.filter((each, index) => each.covers(question) && isHere(index))
    return asked.length > (isAgain === true ? 1 : 0)
  }

  // Questions that were sent and are no longer expected.

  /** Drops questions that are now expected with other values. */
  #correct(questions: readonly Expected[]): void {
    for (const asked of this.#held.expected) {
      const { shape } = asked.question
      if (questions.some(({ question }) => asked.covers(question))) continue
      const hasOther = questions.some(
        ({ question }) => question.shape === shape && looksAlike(question.answers, asked.question.answers),
      )
      if (hasOther && asked.state === 'expected') this.#held.correct(asked)
    }
  }

  /** Drops answers about flags that are no longer expected: the mailbox cannot be left while they are held. */
  #makeWay(questions: readonly Expected[]): void {
    const { last } = this.#selections
    const isLeaving = questions.some(
      ({ question, selects }) => question.selects !== undefined && selects === selectsIn(this.#held.expected),
    )
    if (!isLeaving || last.mailbox === undefined) return
    for (const asked of this.#held.expected) {
      const isInTheWay = tellsOfFlags(asked) && asked.selection === last
      if (isInTheWay && !questions.some(({ question }) => asked.covers(question))) this.#held.correct(asked)
    }
  }

  // What may be asked.

  /** Whether this question may be asked now. */
  #mayAskNow({ question, selects }: Expected, max: number): boolean {
    const { expected, unanswered, hasUntoldExpunge } = this.#held
    if (expected.length >= max || unanswered.length >= 2 * aheadMax) return false
    // The server executes the question in the mailbox that was selected last.
    if (isAboutSelection(question) && selects !== selectsIn(expected)) return false
    const answers = answersOf(question, this.#hasEsearch)
    const { last } = this.#selections
    const leavesOther = question.selects !== undefined && last.mailbox !== undefined
    if (question.selects !== undefined && !(leavesOther ? this.#mayLeave() : this.#maySelect)) return false
    // Two SELECTs need no check: the reply to the UNSELECT between them separates their answers.
    if (!leavesOther && unanswered.some((asked) => looksAlike(asked.answers, answers))) {
      // It can be asked after the server has answered the similar question.
      this.#hasNews = true
      return false
    }
    if (this.#clientCommands.isMistakableFor(answers)) return false
    const selecting = this.#lastSelect
    const mailbox = selecting?.selects ?? this.#course.mailbox
    if (question.needsMailbox && mailbox === undefined) return false
    if (question.usesNumbers && hasUntoldExpunge) return false
    // Clients may repeat a question that the server refuses.
    if (this.#setup.knowledge.isRefused(question)) return false
    if (this.#wouldEnable(question)) return false
    if (question.hasFlags && !this.#mayAskFlags(question, selecting !== undefined)) return false
    if (answers.kind === 'fetch' && answers.uids && uidCount(answers.uids) > fetchedMax) return false
    return this.#isBounded(question, mailbox!)
  }

  /** Whether the question would enable CONDSTORE, which only the client may do. If it is enabled already, there is no effect. */
  #wouldEnable({ enablesCondstore }: Question): boolean {
    return enablesCondstore && !this.#conversation.connection.hasCondstore
  }

  /** The last SELECT that the client has not asked yet. */
  get #lastSelect(): Question | undefined {
    return this.#held.expected.findLast(({ question }) => question.selects !== undefined)?.question
  }

  /** Whether a mailbox may be selected ahead: the client has none selected, and UNSELECT can undo it. */
  get #maySelect(): boolean {
    const { connection } = this.#conversation
    const hasNone = connection.mailbox === 'none' || this.#held.hasSelected
    return hasNone && hasUnselect(connection.capabilities)
  }

  /** Whether the server may leave the mailbox that was selected last. */
  #mayLeave(): boolean {
    const { client, last } = this.#selections
    const { expected, hasReports } = this.#held
    const here = expected.filter(({ selection, question }) => selection === last && question.needsMailbox)
    if (!this.#canReturn || hasReports || here.some(tellsOfFlags)) return false
    // If the client has not selected this mailbox yet, the list of its messages must have been requested.
    if (last !== client) return here.some(({ wider }) => wider?.kind === 'all-messages')
    const isComplete = here.every(({ reply }) => reply !== undefined)
    // The server does not report changes of flags while another mailbox is selected.
    const hasMore = client.knowsFlags() || client.hasRecent || client.hasKeptResult
    return client.isKnown && !hasMore && isComplete && this.#clientCommands.isElsewhere
  }

  /** Whether a mailbox that was left ahead of the client can be selected again and its changes be found. */
  get #canReturn(): boolean {
    return hasUnselect(this.#conversation.connection.capabilities) && this.#hasEsearch
  }

  /** Whether the client misses no change of flags if the answer is dropped. */
  #mayAskFlags(question: Question, isSelecting: boolean): boolean {
    const others = [...this.#held.unanswered, ...this.#held.expected]
    if (others.some(tellsOfFlags)) return false
    if (isSelecting) return true
    const answers = answersOf(question, this.#hasEsearch, this.#widerThan(question))
    const uids = answers.kind === 'fetch' ? answers.uids : undefined
    return !this.#selections.client.knowsFlags(uids) && !this.#clientCommands.asksFlags
  }

  /** Whether the size of the answer is limited. Parts are requested by range, so their size always is. */
  #isBounded(question: Question, mailbox: string): boolean {
    return partsIn(question) !== undefined || this.#isSmall(question, mailbox)
  }

  /** Whether the mails that the question asks for are known to be small enough to hold. */
  #isSmall(question: Question, mailbox: string): boolean {
    if (question.bodiesOf === undefined) return true
    const facts = this.#course.facts(mailbox)
    const sizes = uidsOf(question.bodiesOf, fetchedMax)?.map((uid) => facts.sizeOf(uid) ?? Infinity)
    const size = sizes?.reduce((sum, each) => sum + each, 0) ?? Infinity
    return size * copiesIn(question) <= bodyBytesMax
  }

  /** The wider form in which the question is sent, if there is one (ADR 44, ADR 47). */
  #widerThan(question: Question): Wider | undefined {
    const mailbox = this.#lastSelect?.selects ?? this.#course.mailbox
    const wider =
      mailbox === undefined
        ? undefined
        : widerThan(question, this.#course.facts(mailbox), this.#isSmall(question, mailbox))
    // Without ESEARCH, two plain SEARCHes look alike, and their answers stream to the client.
    return wider?.kind === 'all-messages' && !this.#hasEsearch ? undefined : wider
  }

  get #hasEsearch(): boolean {
    return hasEsearch(this.#conversation.connection.capabilities)
  }

  // Sending.

  #send(question: Question): string {
    const conversation = this.#conversation
    const tag = randomName('E')
    const wider = this.#widerThan(question)
    const answers = answersOf(question, this.#hasEsearch, wider)
    const isExtended = answers.kind !== question.answers.kind
    const whole = wider === undefined ? question.text : widerText(question, wider)
    const text = isExtended ? whole.replace(/^UID SEARCH /i, '$&RETURN (ALL) ') : whole
    const before = question.selects === undefined ? '' : this.#selectAhead(question)
    const sent = conversation.aheadSent(tag, verbOf(text))
    const depth = this.#held.unanswered.length + 1
    const isTried = this.#setup.knowledge.hasAnswered(depth)
    const at = this.#clock.now()
    const asked = new AskedAhead(
      { question, answers, wider },
      sent,
      { depth, isTried, at },
      this.#selections.last,
    )
    this.#held.add(asked)
    this.#onAsked(asked)
    return `${before}${tag} ${text}\r\n`
  }

  /** @returns the UNSELECT to send before the SELECT, if a mailbox is selected. Its reply separates data of the two mailboxes */
  #selectAhead({ selects, text }: Question): string {
    const { connection } = this.#conversation
    const leavesOther = this.#selections.last.mailbox !== undefined
    const tag = leavesOther ? randomName('E') : undefined
    if (tag !== undefined) this.#conversation.ownSent(tag, 'UNSELECT')
    this.#selections.add(tag, selects, text)
    connection.mailboxMayBeSelected()
    // The select cache keeps no answer for which a mailbox was left ahead.
    this.#selections.isCacheable = !leavesOther
    return tag === undefined ? '' : `${tag} UNSELECT\r\n`
  }
}

/** Whether the client learns something about flags from the answer. */
const tellsOfFlags = ({ question }: AskedAhead): boolean => question.dependsOn === 'flags'

const selectsIn = (asked: readonly AskedAhead[]): number =>
  asked.filter(({ question }) => question.selects !== undefined).length

/**
 * The kind of answer to a question as it is sent. A plain SEARCH is sent as ESEARCH if possible, because its response names
 * the tag. The answer to FETCH of the newest page may be about any message.
 */
export function answersOf(
  { isPlainSearch, answers }: Question,
  isExtended: boolean,
  wider?: Wider,
): AnswerKind {
  if (isPlainSearch && isExtended) return { kind: 'esearch' }
  return wider?.kind === 'newest' && answers.kind === 'fetch' ? { ...answers, uids: undefined } : answers
}
