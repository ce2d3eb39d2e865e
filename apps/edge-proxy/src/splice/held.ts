/**
 * The questions that the edge has asked ahead of one client, and their answers, until the client asks the same or something
 * else. It also holds what the server reports of the mailbox meanwhile, because sequence numbers in held answers are those
 * of the moment before.
 *
 *   expected ─┬─ the client asks it ───────────────▶ claimed (its answer is held, or streams)
 *             ├─ another question that commutes ───▶ expected
 *             └─ anything else ────────────────────▶ void    (its answer is read and thrown away)
 */
import { ownerOf, type Expecting } from '../ahead/owner.ts'
import { rewriteEsearch, type Response } from '../ahead/responses.ts'
import type { Question } from '../ahead/shapes.ts'
import { commute, type AnswerKind } from '../ahead/answers.ts'
import type { SentCommand } from './conversation.ts'

/** Why an answer is thrown away; a label value of `ahead_dropped_total`. */
export type DropReason =
  /** The client asked something else. */
  | 'not-asked'
  /** A later answer of the server showed that the client will ask something else. */
  | 'corrected'
  /** It is too large to be held. */
  | 'too-large'
  /** The server refused it. */
  | 'refused'
  /** The mailbox changed, and the client has not been told. */
  | 'outdated'
  /** The server answered in an unexpected way. */
  | 'anomaly'
  | 'session-ended'

/** One untagged response, copied, and its place among all that the server sent. */
interface HeldResponse {
  readonly order: number
  readonly chunks: Buffer[]
}

/** What the server reports of the mailbox on its own. */
interface Report extends HeldResponse {
  readonly isExpunge: boolean
}

/** Bytes of one answer, and of all answers of one session, that are held. */
export const answerBytesMax = 196_608
const heldBytesMax = 393_216
/** A client that waits longer expects to see what has changed meanwhile. */
const heldMsMax = 10_000
/** Reports are a few bytes each. More show that the server does something else. */
const reportsMax = 1000

export class AskedAhead implements Expecting {
  readonly question: Question
  /** Another one when the session takes over what was asked behind a barrier. */
  sent: SentCommand
  readonly answers: AnswerKind
  /** How many commands asked ahead were unanswered when it was sent, itself included. */
  readonly depth: number
  /** When it was sent; coarse milliseconds. */
  readonly at: number
  state: 'expected' | 'claimed' | 'void' = 'expected'
  readonly responses: HeldResponse[] = []
  bytes = 0
  /** The tagged reply from behind its tag, line end included. */
  reply: string | undefined
  /** The client's tag, once it is claimed. */
  clientTag = ''
  /** A message was expunged before it was answered, so its sequence numbers mean other messages than for the client. */
  hasWrongNumbers = false
  /** Kinds of mailbox data that the answer to a SELECT has so far. */
  readonly parts = new Set<string>()

  constructor(question: Question, sent: SentCommand, answers: AnswerKind, depth: number, at: number) {
    this.question = question
    this.sent = sent
    this.answers = answers
    this.depth = depth
    this.at = at
  }

  get tag(): string {
    return this.sent.tag
  }

  /** It was asked in another form, or its answer names its tag: the answer is held until it is complete, and rewritten. */
  get isRewritten(): boolean {
    return this.answers.kind === 'esearch'
  }

  /** It has told something in terms of the selected mailbox. */
  get hasMailboxData(): boolean {
    return this.responses.length > 0 && (this.question.needsMailbox || this.question.selects !== undefined)
  }

  /** Whether the answer has what such an answer must have. If the server sent it in an unknown form, it has not. */
  get isComplete(): boolean {
    switch (this.answers.kind) {
      case 'status':
      case 'search':
      case 'sort':
      case 'thread':
      case 'namespace':
      case 'fetch':
        return this.responses.length > 0
      case 'esearch':
        return this.responses.length === 1 && this.rewritten('x') !== undefined
      case 'select':
        return this.parts.has('exists')
      default:
        return true
    }
  }

  /** The answer to a SEARCH as the client expects it. Undefined: it is not understood. */
  rewritten(clientTag: string): Buffer | undefined {
    const line = Buffer.concat(this.responses.flatMap(({ chunks }) => chunks)).toString('latin1')
    const text = rewriteEsearch(line, this.question.isPlainSearch ? undefined : clientTag)
    return text === undefined ? undefined : Buffer.from(text, 'latin1')
  }
}

/** What the client has in progress while a response arrives. */
export interface ClientCommands {
  /** A command of it is unanswered. */
  readonly isAsking: boolean
  /** One of them is a SELECT. */
  readonly isSelecting: boolean
  /** One of them asks for FETCH responses. */
  readonly isFetching: boolean
}

export interface Taken {
  /** `keep`: give its bytes to `kept`. `omit`: the client never sees it. */
  kind: 'pass' | 'keep' | 'omit'
  /** What the client gets before it, if it passes. */
  before: readonly Buffer[]
  /** The command that was asked ahead and is answered by it. */
  owner: AskedAhead | undefined
  /** The server reports a change of the mailbox on its own. */
  isReport: boolean
}

/** What a claim gives the client at once. */
export interface Claim {
  readonly asked: AskedAhead
  readonly bytes: Buffer[]
  /** Part of a response has been given; the rest of it passes. */
  readonly isWithinResponse: boolean
}

export class Held {
  readonly #onDropped: (asked: AskedAhead, reason: DropReason) => void
  readonly #onDroppedBytes: (bytes: number) => void
  /** In the order of asking. */
  #asked: AskedAhead[] = []
  #reports: Report[] = []
  #lastOrder = 0
  /** Where the bytes of the response that is being kept go. */
  #into: { response: HeldResponse; asked: AskedAhead | undefined } | undefined
  /** A SELECT was dropped: nothing but an UNSELECT may go to the server next. */
  #mustLeave = false
  /** The tag of that UNSELECT. Up to its reply, what the server reports is about a mailbox that the client did not select. */
  #leavingTag: string | undefined

  /** Both are called at once when an answer is dropped: that of a command, and bytes of it. */
  constructor(
    onDropped: (asked: AskedAhead, reason: DropReason) => void,
    onDroppedBytes: (bytes: number) => void,
  ) {
    this.#onDropped = onDropped
    this.#onDroppedBytes = onDroppedBytes
  }

  /** False: responses need not be judged here. */
  get isActive(): boolean {
    return this.#asked.length > 0 || this.#reports.length > 0 || this.#leavingTag !== undefined
  }

  /** Questions that the client has not asked yet, in the order in which the server gets them. */
  get expected(): AskedAhead[] {
    return this.#asked.filter(({ state }) => state === 'expected')
  }

  /** Commands without a tagged reply, in any state. */
  get unanswered(): AskedAhead[] {
    return this.#asked.filter(({ reply }) => reply === undefined)
  }

  get mustLeave(): boolean {
    return this.#mustLeave
  }

  /** Whether the server is about to leave, or has to leave, a mailbox that the client did not select. */
  get isLeaving(): boolean {
    return this.#mustLeave || this.#leavingTag !== undefined
  }

  /** Whether the client's sequence numbers are not those of the server any more. */
  get hasUntoldExpunge(): boolean {
    return this.#reports.some(({ isExpunge }) => isExpunge)
  }

  /** A command goes to the server ahead of the client. */
  add(asked: AskedAhead): void {
    this.#asked.push(asked)
  }

  /** The UNSELECT that undoes a dropped SELECT goes to the server. */
  leaves(tag: string): void {
    this.#mustLeave = false
    this.#leavingTag = tag
    this.#reports = []
  }

  find(sent: SentCommand): AskedAhead | undefined {
    return this.#asked.find((asked) => asked.sent === sent)
  }

  // Server to client.

  /** Decides on an untagged response. */
  take(response: Response, client: ClientCommands): Taken {
    const owner = ownerOf(response, this.unanswered) ?? this.#selectOf(response)
    if (owner) return this.#takeOwned(owner)
    const isAnswered = client.isSelecting && !this.isLeaving && !this.#hasMailboxData
    switch (response.kind) {
      case 'exists':
      case 'expunge':
      case 'recent':
        return isAnswered ? passed : this.#takeReport(response.kind === 'expunge', client)
      case 'fetch':
        // What the client asks for has the numbers of this moment.
        return client.isFetching ? { ...passed, before: this.#releaseAll() } : this.#takeReport(false, client)
      case 'flags':
      case 'mailbox-code':
        if (!this.hasSelected) return passed
        // The client has nothing selected, so there is nothing that can be closed.
        return response.kind === 'mailbox-code' && response.code === 'CLOSED'
          ? omitted
          : this.#takeReport(false, client)
      default:
        return passed
    }
  }

  /** Whether the server has a mailbox selected, or will have, that the client has not selected. */
  get hasSelected(): boolean {
    return this.isLeaving || this.expected.some(({ question }) => question.selects !== undefined)
  }

  /** The unanswered SELECT that the response is part of: before any answer that depends on it, and each part once. */
  #selectOf(response: Response): AskedAhead | undefined {
    const index = this.#asked.findIndex(
      ({ answers, reply }) => answers.kind === 'select' && reply === undefined,
    )
    const select = this.#asked[index]
    // After the reply to UNSELECT, its data has all been sent.
    if (select?.state === 'void' && !this.isLeaving) return undefined
    if (!select || this.#asked.slice(index + 1).some(({ hasMailboxData }) => hasMailboxData)) return undefined
    const part = response.kind === 'mailbox-code' ? response.code : response.kind
    const isPart =
      response.kind === 'mailbox-code' ||
      response.kind === 'exists' ||
      response.kind === 'recent' ||
      response.kind === 'flags'
    if (!isPart || part === 'CLOSED' || select.parts.has(part)) return undefined
    select.parts.add(part)
    return select
  }

  #takeOwned(owner: AskedAhead): Taken {
    if (owner.state === 'claimed' && !owner.isRewritten && !owner.hasWrongNumbers) {
      const isAboutMailbox = owner.question.needsMailbox
      return { ...passed, before: isAboutMailbox ? this.#releaseAll() : [], owner }
    }
    const response = { order: ++this.#lastOrder, chunks: [] }
    owner.responses.push(response)
    this.#into = { response, asked: owner }
    return { ...passed, kind: 'keep', owner }
  }

  #takeReport(isExpunge: boolean, { isAsking }: ClientCommands): Taken {
    // The mailbox is one that the client has not selected, and will not hear of.
    if (this.isLeaving) return omitted
    if (isExpunge)
      for (const asked of this.unanswered)
        if (asked.question.usesNumbers && asked.responses.length === 0) asked.hasWrongNumbers = true
    const isTellable = isAsking && !this.hasSelected && !this.#hasMailboxData
    if (isTellable) return { ...passed, before: this.tellable(), isReport: true }
    if (this.#reports.length >= reportsMax) this.dropFrom(0, 'outdated')
    const report: Report = { order: ++this.#lastOrder, chunks: [], isExpunge }
    this.#reports.push(report)
    this.#into = { response: report, asked: undefined }
    return { ...passed, kind: 'keep', isReport: true }
  }

  /** Whether a held answer tells something in terms of the mailbox at its moment. */
  get #hasMailboxData(): boolean {
    return this.expected.some(({ hasMailboxData }) => hasMailboxData)
  }

  /** Bytes of the response that `take` wants to keep. They are copied. */
  kept(bytes: Buffer): void {
    if (!this.#into) return
    const { response, asked } = this.#into
    if (asked?.state === 'void') return this.#onDroppedBytes(bytes.length)
    response.chunks.push(Buffer.from(bytes))
    if (!asked) return
    asked.bytes += bytes.length
    const isTooLarge = asked.bytes > answerBytesMax || this.#heldBytes > heldBytesMax
    if (isTooLarge && asked.state === 'expected') this.dropFrom(this.expected.indexOf(asked), 'too-large')
  }

  get #heldBytes(): number {
    return this.#asked.reduce((sum, { bytes }) => sum + bytes, 0)
  }

  /** Reports that the client may be told now: no held answer is older. */
  tellable(): Buffer[] {
    const oldest = Math.min(
      ...this.expected
        .filter(({ hasMailboxData }) => hasMailboxData)
        .map(({ responses }) => responses[0]!.order),
    )
    return this.#release((report) => report.order < oldest)
  }

  /** Tells all reports. Held answers that are older than one of them are outdated then. */
  #releaseAll(): Buffer[] {
    const last = this.#reports.at(-1)
    if (!last) return []
    this.#dropOlder(last.order)
    return this.#release(() => true)
  }

  #dropOlder(order: number): void {
    const index = this.expected.findIndex(
      ({ hasMailboxData, responses }) => hasMailboxData && responses[0]!.order < order,
    )
    if (index >= 0) this.dropFrom(index, 'outdated')
  }

  #release(isTold: (report: Report) => boolean): Buffer[] {
    if (this.#reports.length === 0) return []
    const told = this.#reports.filter(isTold)
    this.#reports = this.#reports.filter((report) => !isTold(report))
    return told.flatMap(({ chunks }) => chunks)
  }

  /**
   * A tagged reply to a command that was asked ahead.
   * @returns why the answer was dropped just now; undefined: it was not, or had been before
   */
  replied(asked: AskedAhead, isOk: boolean, reply: string): DropReason | undefined {
    asked.reply = reply
    const reason = asked.state === 'expected' ? flawOf(asked, isOk) : undefined
    if (reason !== undefined) this.dropFrom(this.expected.indexOf(asked), reason)
    else if (asked.state !== 'expected') this.#remove(asked)
    return reason
  }

  #remove(asked: AskedAhead): void {
    this.#asked = this.#asked.filter((each) => each !== asked)
  }

  // Client to server.

  /**
   * The expected question that is equal to the client's command, if its answer may be given now. Nothing behind an expected
   * SELECT is the client's turn.
   */
  claimable(text: string): AskedAhead | undefined {
    for (const asked of this.expected) {
      if (asked.question.text === text) return this.#isOutdated(asked) ? undefined : asked
      if (asked.question.selects !== undefined) return undefined
    }
    return undefined
  }

  /** Its sequence numbers are not those that the client means. */
  #isOutdated({ question, responses, hasWrongNumbers }: AskedAhead): boolean {
    return hasWrongNumbers || (question.usesNumbers && this.hasUntoldExpunge && responses.length === 0)
  }

  /**
   * The client sends this command, or asks this expected question: drops what it would get from an earlier moment than the
   * answer to it, and what depends on a SELECT that is dropped.
   */
  passedBy(question: Question | undefined, asked?: AskedAhead): void {
    const { expected } = this
    const behind = asked === undefined ? expected.length : expected.indexOf(asked)
    for (const each of expected.slice(0, behind)) {
      if (question !== undefined && commute(each.question, question)) continue
      if (each.question.selects !== undefined) return this.dropFrom(this.expected.indexOf(each), 'not-asked')
      this.#drop(each, 'not-asked')
    }
  }

  /** Drops answers that are older than the client expects. */
  dropStale(now: number): void {
    const index = this.expected.findIndex(({ at, responses }) => responses.length > 0 && now - at > heldMsMax)
    if (index >= 0) this.dropFrom(index, 'outdated')
  }

  /** The client asks this expected question. */
  claim(asked: AskedAhead, clientTag: string): Claim {
    this.passedBy(asked.question, asked)
    asked.state = 'claimed'
    asked.clientTag = clientTag
    const isAnswered = asked.reply !== undefined
    if (isAnswered) this.#remove(asked)
    if (asked.isRewritten && !isAnswered) return { asked, bytes: [], isWithinResponse: false }
    const bytes = asked.isRewritten ? this.#rewrittenInOrder(asked, clientTag) : this.#inOrder(asked)
    return { asked, bytes, isWithinResponse: this.#into?.asked === asked && !isAnswered }
  }

  #rewrittenInOrder(asked: AskedAhead, clientTag: string): Buffer[] {
    const before = this.#reportsBefore(asked.responses[0]!.order)
    return [...before, asked.rewritten(clientTag)!]
  }

  /** The answer so far, with the reports that came before parts of it. */
  #inOrder(asked: AskedAhead): Buffer[] {
    const isAboutMailbox = asked.hasMailboxData
    return asked.responses.flatMap(({ order, chunks }) => [
      ...(isAboutMailbox ? this.#reportsBefore(order) : []),
      ...chunks,
    ])
  }

  #reportsBefore(order: number): Buffer[] {
    const last = this.#reports.findLast((report) => report.order < order)
    if (!last) return []
    this.#dropOlder(last.order)
    return this.#release((report) => report.order < order)
  }

  /** Drops the expected questions from this one on. */
  dropFrom(index: number, reason: DropReason): void {
    for (const asked of this.expected.slice(Math.max(0, index))) this.#drop(asked, reason)
  }

  /** Drops an expected question that is not asked any more, and what depends on it. */
  correct(asked: AskedAhead): void {
    if (asked.question.selects !== undefined) this.dropFrom(this.expected.indexOf(asked), 'corrected')
    else this.#drop(asked, 'corrected')
  }

  #drop(asked: AskedAhead, reason: DropReason): void {
    asked.state = 'void'
    if (asked.bytes > 0) this.#onDroppedBytes(asked.bytes)
    this.#onDropped(asked, reason)
    asked.bytes = 0
    for (const { chunks } of asked.responses) chunks.length = 0
    if (asked.reply !== undefined) this.#remove(asked)
    if (asked.question.selects === undefined) return
    this.#mustLeave = true
    // What was reported is about a mailbox that the client did not select.
    this.#reports = []
  }

  /** The UNSELECT has been answered. */
  left(tag: string): void {
    if (tag === this.#leavingTag) this.#leavingTag = undefined
  }

  /** The client leaves its mailbox: what is reported of it does not matter any more. */
  forgetReports(): void {
    this.#reports = []
  }
}

const passed: Taken = { kind: 'pass', before: [], owner: undefined, isReport: false }
const omitted: Taken = { ...passed, kind: 'omit' }

function flawOf(asked: AskedAhead, isOk: boolean): DropReason | undefined {
  if (!isOk) return 'refused'
  if (asked.hasWrongNumbers) return 'outdated'
  if (asked.isComplete) return undefined
  if (asked.responses.length === 1 && asked.isRewritten) return 'too-large'
  // A message that is gone has no data.
  return asked.answers.kind === 'fetch' ? 'outdated' : 'anomaly'
}
