/**
 * The questions that the edge has asked ahead of one client, and their answers, until the client asks the same or something
 * else. Decides which response answers which of them, and when the client may have it: never something that was told later
 * before something that was told earlier.
 *
 *   expected ─┬─ the client asks it ───────────────▶ claimed (its answer is held, or streams)
 *             ├─ the client asks a part of it ─────▶ expected (if it may answer several questions)
 *             ├─ another question that commutes ───▶ expected
 *             └─ anything else ────────────────────▶ void    (its answer is read and thrown away)
 *
 *   returning: it selects the client's mailbox again, after a SELECT that the client did not ask for
 */
import { commute } from '../ahead/answers.ts'
import { ownerOf } from '../ahead/owner.ts'
import type { Response } from '../ahead/responses.ts'
import { isAboutSelection, type Question } from '../ahead/shapes.ts'
import { answerBytesMax, type AskedAhead, type HeldResponse } from './asked-ahead.ts'
import type { ClientCommands } from './client-commands.ts'
import { Reports } from './reports.ts'
import type { Selection, Selections } from './selections.ts'
import type { SentCommand } from './sent-command.ts'

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

/** Bytes of all answers of one session that are held. */
const heldBytesMax = 393_216
/** Of an answer that the client waits for, and that is rewritten once it is complete. */
const awaitedBytesMax = 8_388_608
/** A client that waits longer expects to see what has changed meanwhile. */
const heldMsMax = 10_000
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
  readonly #selections: Selections
  readonly #onDropped: (asked: AskedAhead, reason: DropReason) => void
  readonly #onDroppedBytes: (bytes: number) => void
  /** In the order of asking. */
  #asked: AskedAhead[] = []
  readonly #reports: Reports
  #lastOrder = 0
  /** Where the bytes of the response that is being kept go. */
  #into: { response: HeldResponse; asked: AskedAhead | undefined } | undefined
  /** A SELECT was dropped: nothing but an UNSELECT may go to the server next. */
  #mustLeave = false
  /** The tag of that UNSELECT. Up to its reply, what the server reports is about a mailbox that the client did not select. */
  #leavingTag: string | undefined
  #isTooMuch = false

  /** Both are called at once when an answer is dropped: that of a command, and bytes of it. */
  constructor(
    selections: Selections,
    onDropped: (asked: AskedAhead, reason: DropReason) => void,
    onDroppedBytes: (bytes: number) => void,
  ) {
    this.#selections = selections
    this.#reports = new Reports(selections)
    this.#onDropped = onDropped
    this.#onDroppedBytes = onDroppedBytes
  }

  /** False: responses need not be judged here. */
  get isActive(): boolean {
    return this.#asked.length > 0 || !this.#reports.isEmpty || this.isLeaving
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
    return this.#reports.hasExpunge
  }

  /** The server sends more than can be kept for the client. */
  get isTooMuch(): boolean {
    return this.#isTooMuch
  }

  get hasReports(): boolean {
    return !this.#reports.isEmpty
  }

  /** A command goes to the server ahead of the client. */
  add(asked: AskedAhead): void {
    this.#asked.push(asked)
  }

  /** The UNSELECT that undoes a dropped SELECT goes to the server. */
  leaves(tag: string): void {
    this.#mustLeave = false
    this.#leavingTag = tag
    this.#reports.forget()
  }

  /**
   * The client's mailbox has been selected again. The client is told these changes of it, and what is reported later.
   * @param order the place of the answer that shows the changes
   */
  returned(order: number, changes: readonly string[]): void {
    this.#reports.replaceUpTo(order, changes)
    this.#selections.client = this.#selections.server
  }

  find(sent: SentCommand): AskedAhead | undefined {
    return this.#asked.find((asked) => asked.sent === sent)
  }

  // Server to client.

  /**
   * Decides on an untagged response.
   * @param client the commands that the client waits for
   * @param count how many messages the server has told of the mailbox; undefined: not known
   */
  take(response: Response, client: ClientCommands, count?: number): Taken {
    // A FETCH may be a report of the mailbox before. All else is an answer, also if the reply to the UNSELECT is missing.
    const begun = this.unanswered.filter((asked) => asked.answers.kind !== 'fetch' || !this.#isAhead(asked))
    const owner = ownerOf(response, begun, client.answers) ?? this.#selectOf(response)
    if (owner) return this.#takeOwned(owner, response, count)
    const isAnswered = client.isSelecting && !this.isLeaving && !this.#hasMailboxData
    switch (response.kind) {
      case 'exists':
      case 'expunge':
      case 'recent':
        return isAnswered ? this.#passBehindReports() : this.#takeReport(response, client)
      case 'fetch':
        // What the client asks for has the numbers of this moment.
        return client.isFetching ? this.#passBehindReports() : this.#takeReport(response, client)
      case 'flags':
      case 'mailbox-code':
        if (!this.hasSelected) return passed
        // The client has nothing selected, so there is nothing that can be closed.
        return response.kind === 'mailbox-code' && response.code === 'CLOSED'
          ? omitted
          : this.#takeReport(response, client)
      default:
        return passed
    }
  }

  /** Whether the server has a mailbox selected, or will have, that the client has not selected. */
  get hasSelected(): boolean {
    const isSelecting = ({ state, question }: AskedAhead) =>
      state === 'returning' || (state === 'expected' && question.selects !== undefined)
    return this.isLeaving || this.#asked.some(isSelecting)
  }

  /** The unanswered SELECT that the response is part of: before any answer that depends on it, and each part once. */
  #selectOf(response: Response): AskedAhead | undefined {
    const index = this.#asked.findIndex(
      (asked) => asked.answers.kind === 'select' && asked.reply === undefined && !this.#isAhead(asked),
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

  #takeOwned(owner: AskedAhead, answer: Response, count: number | undefined): Taken {
    if (owner.state === 'claimed' && !owner.isRewritten && !owner.hasWrongNumbers) {
      const isAboutMailbox = owner.question.needsMailbox
      return { ...passed, before: isAboutMailbox ? this.#tellBefore(Infinity) : [], owner }
    }
    const uid = answer.kind === 'fetch' ? answer.uid : undefined
    const response = { order: ++this.#lastOrder, chunks: [], uid }
    if (owner.responses.length === 0) owner.count = count
    owner.responses.push(response)
    this.#into = { response, asked: owner }
    return { ...passed, kind: 'keep', owner }
  }

  #passBehindReports(): Taken {
    return { ...passed, before: this.#tellBefore(Infinity) }
  }

  #takeReport(response: Response, client: ClientCommands): Taken {
    // The mailbox is one that the client has not selected, and will not hear of.
    if (this.isLeaving) return omitted
    if (response.kind === 'expunge')
      for (const asked of this.unanswered)
        if (asked.question.usesNumbers && asked.responses.length === 0 && !this.#isAhead(asked))
          asked.hasWrongNumbers = true
    const isTellable = client.count > 0 && !this.hasSelected && !this.#hasMailboxData
    if (isTellable) return { ...passed, before: this.tellable(), isReport: true }
    if (this.#reports.isFull) this.dropFrom(0, 'outdated')
    this.#into = { response: this.#reports.add(++this.#lastOrder, response), asked: undefined }
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
    if (this.#isTooMuch) return
    response.chunks.push(Buffer.from(bytes))
    if (!asked) {
      this.#reports.grow(bytes.length)
      this.#isTooMuch = this.#reports.isTooMuch
      return
    }
    asked.bytes += bytes.length
    if (asked.bytes > awaitedBytesMax) this.#isTooMuch = true
    const isTooLarge = asked.bytes > answerBytesMax || this.#heldBytes > heldBytesMax
    if (isTooLarge && asked.state === 'expected') this.dropFrom(this.expected.indexOf(asked), 'too-large')
  }

  get #heldBytes(): number {
    return this.#asked.reduce((sum, { bytes }) => sum + bytes, 0)
  }

  /** Reports that the client may be told now: no held answer is older. */
  tellable(): Buffer[] {
    // It leaves the mailbox that they are about, or gets it back with all changes.
    if (this.hasSelected) return []
    const oldest = Math.min(
      ...this.expected
        .filter(({ hasMailboxData }) => hasMailboxData)
        .map(({ responses }) => responses[0]!.order),
    )
    return this.#reports.takeBefore(oldest)
  }

  /** Tells the reports before this place. Held answers that are older than one of them are outdated then. */
  #tellBefore(order: number): Buffer[] {
    const last = this.#reports.lastBefore(order)
    if (last === undefined) return []
    this.#dropOlder(last)
    return this.#reports.takeBefore(order)
  }

  #dropOlder(order: number): void {
    const { client } = this.#selections
    const index = this.expected.findIndex(
      (asked) => asked.hasMailboxData && asked.selection === client && asked.responses[0]!.order < order,
    )
    if (index >= 0) this.dropFrom(index, 'outdated')
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
   * The expected question that has the answer to the client's command, if it may be given now; `wait`: whether a wider one has
   * it is known when it is answered. Nothing behind an expected SELECT is the client's turn.
   */
  claimable(question: Question): AskedAhead | 'wait' | undefined {
    for (const asked of this.expected) {
      if (asked.covers(question)) {
        if (this.#isOutdated(asked, question)) return undefined
        const left = this.#isLeft(asked) ? asked.selection : undefined
        if (left !== undefined) {
          const hasLeft = left.number < this.#selections.server.number
          if (!hasLeft) return 'wait'
          if (!left.isKnown || left.hasChanged) return undefined
        }
        if (asked.wider !== undefined && asked.reply === undefined) return 'wait'
        return asked.hasAnswerTo(question) ? asked : undefined
      }
      if (asked.question.selects !== undefined) return undefined
    }
    return undefined
  }

  /** The server has not selected the mailbox that it is about. */
  #isAhead({ question, selection }: AskedAhead): boolean {
    return isAboutSelection(question) && selection !== undefined && this.#selections.isAhead(selection)
  }

  /** It is a SELECT whose mailbox the server leaves again, ahead of the client. */
  #isLeft({ question, selection }: AskedAhead): boolean {
    return question.selects !== undefined && selection !== this.#selections.last
  }

  /** Its sequence numbers are not those that the client means. */
  #isOutdated({ responses, hasWrongNumbers, selection }: AskedAhead, { usesNumbers }: Question): boolean {
    if (hasWrongNumbers) return true
    if (!usesNumbers) return false
    return this.#reports.hasExpungeBefore(responses[0]?.order ?? Infinity, selection)
  }

  /**
   * The client sends this command, or asks this expected question: drops what it would get from an earlier moment than the
   * answer to it, and what depends on a SELECT that is dropped.
   */
  passedBy(question: Question | undefined, asked?: AskedAhead): void {
    const { expected } = this
    const behind = asked === undefined ? expected.length : expected.indexOf(asked)
    for (const each of expected.slice(0, behind)) {
      // What should have its answer, and has not, is of no use any more.
      const isKept = question !== undefined && commute(each.question, question) && !each.covers(question)
      if (isKept) continue
      if (each.question.selects !== undefined) return this.dropFrom(this.expected.indexOf(each), 'not-asked')
      this.#drop(each, 'not-asked')
    }
  }

  /** Drops answers that are older than the client expects. */
  dropStale(now: number): void {
    const index = this.expected.findIndex(({ at, responses }) => responses.length > 0 && now - at > heldMsMax)
    if (index >= 0) this.dropFrom(index, 'outdated')
  }

  /**
   * The client asks this expected question.
   * @param question as the client asks it
   */
  claim(asked: AskedAhead, clientTag: string, question: Question): Claim {
    this.passedBy(question, asked)
    if (asked.question.selects !== undefined && asked.selection !== undefined) this.#moveTo(asked.selection)
    if (asked.isShared) return this.#share(asked, clientTag, question)
    asked.state = 'claimed'
    asked.clientTag = clientTag
    const isAnswered = asked.reply !== undefined
    if (isAnswered) this.#remove(asked)
    if (asked.isRewritten && !isAnswered) return { asked, bytes: [], isWithinResponse: false }
    const bytes = asked.isRewritten
      ? this.#rewrittenInOrder(asked, clientTag)
      : this.#inOrder(asked, asked.responsesTo(question))
    return { asked, bytes, isWithinResponse: this.#into?.asked === asked && !isAnswered }
  }

  /** The client selects this mailbox. What is untold of the one before does not matter any more. */
  #moveTo(selection: Selection): void {
    this.#reports.forgetOf(this.#selections.client)
    this.#selections.client = selection
  }

  #share(asked: AskedAhead, clientTag: string, question: Question): Claim {
    asked.uses++
    const answer = asked.sharedAnswer(question, clientTag)!
    // What is older than a report is dropped, and what was asked behind it, which may be this one.
    const before = this.#tellBefore(asked.responses[0]!.order)
    return { asked, bytes: [...before, answer], isWithinResponse: false }
  }

  #rewrittenInOrder(asked: AskedAhead, clientTag: string): Buffer[] {
    const before = this.#tellBefore(asked.responses[0]!.order)
    return [...before, asked.rewritten(clientTag)!]
  }

  /** These responses of the answer so far, with the reports that came before them. */
  #inOrder(asked: AskedAhead, responses: readonly HeldResponse[]): Buffer[] {
    const isAboutMailbox = asked.hasMailboxData
    return responses.flatMap(({ order, chunks }) => [
      ...(isAboutMailbox ? this.#tellBefore(order) : []),
      ...chunks,
    ])
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
    if (asked.uses === 0) {
      if (asked.bytes > 0) this.#onDroppedBytes(asked.bytes)
      this.#onDropped(asked, reason)
    }
    asked.bytes = 0
    for (const { chunks } of asked.responses) chunks.length = 0
    if (asked.reply !== undefined) this.#remove(asked)
    if (asked.question.selects === undefined) return
    this.#mustLeave = true
    // What was reported is about a mailbox that the client did not select.
    this.#reports.forget()
  }

  /** An UNSELECT has been answered. */
  left(tag: string, isOk: boolean): void {
    const selection = this.#selections.behind(tag)
    this.#selections.replied(tag)
    if (tag === this.#leavingTag) this.#leavingTag = undefined
    else if (selection !== undefined && !isOk) {
      // What the server sends next may be about the mailbox that it has not left.
      const index = this.expected.findIndex((asked) => asked.selection === selection)
      if (index >= 0) this.dropFrom(index, 'refused')
    }
  }

  /** The client leaves its mailbox: what is reported of it does not matter any more. */
  forgetReports(): void {
    this.#reports.forget()
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
