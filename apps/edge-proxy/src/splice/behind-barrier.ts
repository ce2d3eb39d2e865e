/**
 * Questions that are sent behind the barrier of a reset, for the login that waits for this connection. They do not depend on
 * a selected mailbox. If the barrier fails, the answers are dropped, and the client asks on another connection. Otherwise
 * the session takes over all questions, answered or not.
 */
import { looksAlike } from '../ahead/answers.ts'
import { Course } from '../ahead/course.ts'
import { ownerOf } from '../ahead/owner.ts'
import { readResponse } from '../ahead/responses.ts'
import type { Question } from '../ahead/shapes.ts'
import { hasTag, startsWithWord } from '../imap/bytes.ts'
import { untaggedAt } from '../imap/response-facts.ts'
import { verbOf } from '../imap/verb.ts'
import { randomName } from '../server/random-name.ts'
import type { Followers } from '../server/reset.ts'
import type { ServerConnection } from '../server/server-connection.ts'
import type { AheadContext, AheadSetup } from './ahead-setup.ts'
import { answerBytesMax, AskedAhead } from './asked-ahead.ts'

/** A tagged reply. `text`: everything after the tag, line end included. */
interface HeldReply {
  readonly isOk: boolean
  readonly text: string
}

export class BehindBarrier implements Followers {
  readonly connection: ServerConnection
  readonly #setup: AheadSetup
  readonly #context: AheadContext
  readonly #questions: readonly Question[]
  readonly #replies = new Map<AskedAhead, HeldReply>()
  #asked: AskedAhead[] = []
  /** The question to which the last response belongs. */
  #into: AskedAhead | undefined

  private constructor(
    setup: AheadSetup,
    context: AheadContext,
    connection: ServerConnection,
    questions: readonly Question[],
  ) {
    this.#setup = setup
    this.#context = context
    this.connection = connection
    this.#questions = questions
  }

  /**
   * @param loginTag the client's tag, whose form tells client programs apart
   * @returns undefined if there is nothing to ask
   */
  static for(
    setup: AheadSetup,
    context: AheadContext,
    connection: ServerConnection,
    loginTag: string,
  ): BehindBarrier | undefined {
    const { mode, knowledge, identity, hints, roundTripMinMs } = setup
    const { enabledKey, spoilReason, hasCondstore } = connection
    if (mode !== 'on' || (knowledge.roundTripMs ?? -1) < roundTripMinMs) return undefined
    if (spoilReason !== undefined || (enabledKey !== '' && enabledKey !== 'condstore')) return undefined
    const course = new Course(knowledge.book, knowledge.user(identity), hints)
    course.tagged(loginTag)
    const questions: Question[] = []
    for (const { question } of course.expected({ max: knowledge.commandsMax(context.clock.now()) })) {
      const { needsMailbox, selects, enablesCondstore, answers } = question
      const isSafe = !needsMailbox && selects === undefined && (!enablesCondstore || hasCondstore)
      // The client asks the later questions after this one, so they are not sent either.
      if (!isSafe || knowledge.isRefused(question)) break
      if (questions.some((each) => looksAlike(each.answers, answers))) break
      questions.push(question)
    }
    return questions.length > 0 ? new BehindBarrier(setup, context, connection, questions) : undefined
  }

  send(): string {
    const { upstream, knowledge } = this.#setup
    const at = this.#context.clock.now()
    this.#asked = this.#questions.map((question, index) => {
      const sent = { tag: randomName('E'), verb: verbOf(question.text), isOwn: true }
      const depth = index + 1
      const isTried = knowledge.hasAnswered(depth)
      return new AskedAhead({ question, answers: question.answers }, sent, { depth, isTried, at })
    })
    this.#context.metrics.counters.ahead_asked_total({ upstream }).value += this.#asked.length
    return this.#asked.map(({ tag, question }) => `${tag} ${question.text}\r\n`).join('')
  }

  takeUntagged(bytes: Buffer, start: number, end: number): boolean {
    const response = readResponse(bytes.toString('latin1', untaggedAt(bytes, start), end + 1))
    const owner = ownerOf(
      response,
      this.#asked.filter((asked) => !this.#replies.has(asked)),
    )
    this.#into = owner
    if (owner === undefined) return false
    owner.responses.push({ order: 0, chunks: [] })
    const user = this.#setup.knowledge.user(this.#setup.identity)
    if (response.kind === 'status' && response.mailbox !== undefined)
      user.mailbox(response.mailbox).note(response)
    if (response.kind === 'list' && response.name !== undefined) user.noteListed(response.name)
    return true
  }

  onKept(bytes: Buffer): void {
    const asked = this.#into
    if (asked === undefined || asked.state === 'void') return
    asked.bytes += bytes.length
    asked.responses.at(-1)!.chunks.push(Buffer.from(bytes))
    if (asked.bytes > answerBytesMax) this.#drop(asked, 'too-large')
  }

  takeTagged(bytes: Buffer, start: number, end: number): boolean {
    const asked = this.#asked.find((each) => hasTag(bytes, start, end, each.tag))
    if (asked === undefined || this.#replies.has(asked)) return false
    const at = start + asked.tag.length + 1
    this.#replies.set(asked, {
      isOk: startsWithWord(bytes, at, 'OK'),
      text: bytes.toString('latin1', at, end + 1),
    })
    return true
  }

  /** The session uses this connection: returns all questions, with the replies so far. */
  takeOver(): { asked: AskedAhead; reply: HeldReply | undefined }[] {
    return this.#asked.map((asked) => ({ asked, reply: this.#replies.get(asked) }))
  }

  /** The session uses another connection, or the login failed. */
  drop(): void {
    for (const asked of this.#asked) if (asked.state === 'expected') this.#drop(asked, 'session-ended')
  }

  #drop(asked: AskedAhead, reason: 'too-large' | 'session-ended'): void {
    const { upstream } = this.#setup
    const { counters } = this.#context.metrics
    counters.ahead_dropped_total({ upstream, reason }).value++
    counters.ahead_dropped_bytes_total({ upstream }).value += asked.bytes
    asked.state = 'void'
    asked.bytes = 0
    asked.responses.length = 0
  }
}
