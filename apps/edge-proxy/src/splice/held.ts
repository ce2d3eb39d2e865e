/**
 * The questions that were sent ahead of one client, and their answers, until the client asks them or something else. Matches
 * responses to questions, and decides when the client may get them: never newer data before older data.
 *
 *   expected ─┬─ the client asks it ───────────────▶ claimed (the held part is given, the rest streams)
 *             ├─ the client asks a part of it ─────▶ expected (if the answer can serve several commands)
 *             ├─ another question that commutes ───▶ expected
 *             └─ anything else ────────────────────▶ void    (its answer is discarded)
 *
 *   returning: selects the client's mailbox again, after a SELECT that the client did not ask for
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

/** Why an answer is dropped; a label value of `ahead_dropped_total`. */
export type DropReason =
  /** The client asked something else. */
  | 'not-asked'
  /** A later answer of the server showed that the client will ask with other values. */
  | 'corrected'
  /** The answer is too large to be held. */
  | 'too-large'
  /** The server refused the question. */
  | 'refused'
  /** The answer is too old, or the mailbox has changed since. */
  | 'outdated'
  /** The server answered in an unexpected way. */
  | 'anomaly'
  | 'session-ended'

/** Limit on the bytes of all held answers of one session. */
const heldBytesMax = 393_216
/** Limit on the bytes of a claimed answer that is rewritten after it is complete. */
const awaitedBytesMax = 8_388_608
/** An older answer is not used: after such a pause, a client expects to see recent changes. */
const heldMsMax = 10_000

export interface Taken {
  /** `keep`: give the bytes of the response to `kept`. `omit`: the client does not get it. */
  kind: 'pass' | 'keep' | 'omit'
  /** What the client gets before the response, if it passes. */
  before: readonly Buffer[]
  /** The question that the response answers. */
  owner: AskedAhead | undefined
  /** The response answers no command: the server reports a change of the mailbox. */
  isReport: boolean
}

/** What the client gets immediately after a claim. */
export interface Claim {
  readonly asked: AskedAhead
  readonly bytes: Buffer[]
  /** `bytes` ends within a response, and the rest of it must pass. */
  readonly isWithinResponse: boolean
}

export class Held {
  readonly #selections: Selections
  readonly #onDropped: (asked: AskedAhead, reason: DropReason) => void
  readonly #onDroppedBytes: (bytes: number) => void
  /** In the order in which they were sent. */
  #asked: AskedAhead[] = []
  readonly #reports: Reports
  #lastOrder = 0
  /** The response that is being kept, and the question that it answers. */
  #into: { response: HeldResponse; asked: AskedAhead | undefined } | undefined
  /** A SELECT was dropped: the next command to the server must be UNSELECT. */
  #mustLeave = false
  /** The tag of that UNSELECT. Until its reply, reports of the server are about a mailbox that the client did not select. */
  #leavingTag: string | undefined
  /** The server has refused the dropped SELECT, so it may refuse the UNSELECT because no mailbox is selected. */
  #isSelectRefused = false
  #isTooMuch = false

  /** @param onDroppedBytes is also called for bytes of a dropped answer that arrive later */
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

  /** If false, `take` need not be called for responses. */
  get isActive(): boolean {
    return this.#asked.length > 0 || !this.#reports.isEmpty || this.isLeaving
  }

  /** Questions that the client has not asked yet, in the order in which the server gets them. */
  get expected(): AskedAhead[] {
    return this.#asked.filter(({ state }) => state === 'expected')
  }

  /** Questions in any state without a tagged reply. */
  get unanswered(): AskedAhead[] {
    return this.#asked.filter(({ reply }) => reply === undefined)
  }

  get mustLeave(): boolean {
    return this.#mustLeave
  }

  /** Whether an UNSELECT that undoes a dropped SELECT must be sent, or is unanswered. */
  get isLeaving(): boolean {
    return this.#mustLeave || this.#leavingTag !== undefined
  }

  /** Whether the client has not been told of an EXPUNGE, so its sequence numbers are wrong. */
  get hasUntoldExpunge(): boolean {
    return this.#reports.hasExpunge
  }

  /** The server has sent more than can be kept for the client. The session must end. */
  get isTooMuch(): boolean {
    return this.#isTooMuch
  }

  get hasReports(): boolean {
    return !this.#reports.isEmpty
  }

  /** A question goes to the server ahead of the client. */
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
   * The client's mailbox has been selected again. The client gets these changes, and then later reports.
   * @param order position of the answer from which the changes were found
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
   * @param client the client's unanswered commands
   * @param count number of messages in the selected mailbox; undefined: unknown
   */
  take(response: Response, client: ClientCommands, count?: number): Taken {
    // Before the reply to UNSELECT, a FETCH response may be a report about the mailbox that is being left. Other responses
    // are answers, even if a server does not reply to the UNSELECT.
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
        // The sequence numbers in the response are the current ones, so earlier reports must pass first.
        return client.isFetching ? this.#passBehindReports() : this.#takeReport(response, client)
      case 'flags':
      case 'mailbox-code':
        // A list of flags replaces the one before it, so it must not overtake an earlier report.
        if (!this.hasSelected && (isAnswered || this.#reports.isEmpty)) return passed
        // The client has no mailbox selected that could be closed.
        return response.kind === 'mailbox-code' && response.code === 'CLOSED' && this.hasSelected
          ? omitted
          : this.#takeReport(response, client)
      case 'progress':
        return this.#asked.some(({ tag }) => tag === response.tag) ? omitted : passed
      default:
        return passed
    }
  }

  /** Whether the server has selected, or will select, a mailbox that the client has not selected. */
  get hasSelected(): boolean {
    const isSelecting = ({ state, question }: AskedAhead) =>
      state === 'returning' || (state === 'expected' && question.selects !== undefined)
    return this.isLeaving || this.#asked.some(isSelecting)
  }

  /** The unanswered SELECT that the response belongs to. Each part belongs to it once, and only before answers that depend on it. */
  #selectOf(response: Response): AskedAhead | undefined {
    const index = this.#asked.findIndex(
      (asked) => asked.answers.kind === 'select' && asked.reply === undefined && !this.#isAhead(asked),
    )
    const select = this.#asked[index]
    // After the reply to UNSELECT, no more data of the dropped SELECT follows.
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
    // The report is about a mailbox that the client has not selected.
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

  /** Whether a held answer has data of the selected mailbox, which a newer report must not overtake. */
  get #hasMailboxData(): boolean {
    return this.expected.some(({ hasMailboxData }) => hasMailboxData)
  }

  /** Bytes of the response for which `take` returned `keep`. They are copied. */
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

  /** Takes the reports that the client may get now: those that no held answer precedes. */
  tellable(): Buffer[] {
    // The client leaves the mailbox of these reports, or the mailbox is selected again and all changes are found.
    if (this.hasSelected) return []
    const oldest = Math.min(
      ...this.expected
        .filter(({ hasMailboxData }) => hasMailboxData)
        .map(({ responses }) => responses[0]!.order),
    )
    return this.#reports.takeBefore(oldest)
  }

  /** Takes the reports before this position for the client, and drops held answers that are older than one of them. */
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
   * A tagged reply to a question.
   * @returns why this reply made the answer unusable; undefined: it did not
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
   * The expected question whose answer the client's command can get now. `wait`: a wider question may contain the answer, but
   * the server has not answered it yet, or has not yet left the mailbox of an expected SELECT. Questions behind an expected
   * SELECT are not considered.
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

  /** Whether the question is about a mailbox that the server has not selected yet. */
  #isAhead({ question, selection }: AskedAhead): boolean {
    return isAboutSelection(question) && selection !== undefined && this.#selections.isAhead(selection)
  }

  /** Whether it is a SELECT of a mailbox that the edge leaves again, ahead of the client. */
  #isLeft({ question, selection }: AskedAhead): boolean {
    return question.selects !== undefined && selection !== this.#selections.last
  }

  /** Whether the question was executed with other sequence numbers than the client's. */
  #isOutdated({ responses, hasWrongNumbers, selection }: AskedAhead, { usesNumbers }: Question): boolean {
    if (hasWrongNumbers) return true
    if (!usesNumbers) return false
    return this.#reports.hasExpungeBefore(responses[0]?.order ?? Infinity, selection)
  }

  /**
   * The client sends this question. Drops expected questions before it that do not commute with it, and all that depend on a
   * dropped SELECT.
   * @param question undefined: the command is not a question
   * @param asked the expected question that answers it; undefined: the server does
   */
  passedBy(question: Question | undefined, asked?: AskedAhead): void {
    const { expected } = this
    const behind = asked === undefined ? expected.length : expected.indexOf(asked)
    for (const each of expected.slice(0, behind)) {
      // A wider question that should contain the answer, but does not, is also dropped.
      const isKept = question !== undefined && commute(each.question, question) && !each.covers(question)
      if (isKept) continue
      if (each.question.selects !== undefined) return this.dropFrom(this.expected.indexOf(each), 'not-asked')
      this.#drop(each, 'not-asked')
    }
  }

  /** Drops answers that are too old. */
  dropStale(now: number): void {
    const index = this.expected.findIndex(({ at, responses }) => responses.length > 0 && now - at > heldMsMax)
    if (index >= 0) this.dropFrom(index, 'outdated')
  }

  /**
   * The client's command gets the answer to this expected question.
   * @param question as the client asks it
   */
  claim(asked: AskedAhead, clientTag: string, question: Question): Claim {
    this.passedBy(question, asked)
    if (this.#isLeft(asked)) forgetRecent(asked)
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

  /** The client selects this mailbox. Reports about its previous mailbox are dropped. */
  #moveTo(selection: Selection): void {
    this.#reports.forgetOf(this.#selections.client)
    this.#selections.client = selection
  }

  #share(asked: AskedAhead, clientTag: string, question: Question): Claim {
    asked.uses++
    const answer = asked.sharedAnswer(question, clientTag)!
    // This may drop `asked` itself, so its answer was read before.
    const before = this.#tellBefore(asked.responses[0]!.order)
    return { asked, bytes: [...before, answer], isWithinResponse: false }
  }

  #rewrittenInOrder(asked: AskedAhead, clientTag: string): Buffer[] {
    const before = this.#tellBefore(asked.responses[0]!.order)
    return [...before, asked.rewritten(clientTag)!]
  }

  /** The given responses, with the reports that came before them. */
  #inOrder(asked: AskedAhead, responses: readonly HeldResponse[]): Buffer[] {
    const isAboutMailbox = asked.hasMailboxData
    return responses.flatMap(({ order, chunks }) => [
      ...(isAboutMailbox ? this.#tellBefore(order) : []),
      ...chunks,
    ])
  }

  /** Drops the expected questions from this index on. */
  dropFrom(index: number, reason: DropReason): void {
    for (const asked of this.expected.slice(Math.max(0, index))) this.#drop(asked, reason)
  }

  /** Drops a question that is no longer expected. For a SELECT, also drops all questions behind it. */
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
    this.#isSelectRefused = reason === 'refused' && asked.reply !== undefined
    // The reports are about a mailbox that the client did not select.
    this.#reports.forget()
  }

  /** Whether the server may refuse this UNSELECT because no mailbox is selected. */
  mayBeRefused(tag: string): boolean {
    return tag === this.#leavingTag && this.#isSelectRefused
  }

  /** A tagged reply has arrived, which may be the reply to an UNSELECT. */
  left(tag: string, isOk: boolean): void {
    const selection = this.#selections.behind(tag)
    this.#selections.replied(tag)
    if (tag === this.#leavingTag) this.#leavingTag = undefined
    else if (selection !== undefined && !isOk) {
      // The server is still in the old mailbox, so its next responses may be about that one.
      const index = this.expected.findIndex((asked) => asked.selection === selection)
      if (index >= 0) this.dropFrom(index, 'refused')
    }
  }

  /** The client leaves its mailbox: drops the reports. */
  forgetReports(): void {
    this.#reports.forget()
  }
}

/** The edge has left the mailbox again, so none of its messages is recent any more (RFC 3501 2.3.2). */
function forgetRecent({ responses, selection }: AskedAhead): void {
  for (const { chunks } of responses) {
    const text = Buffer.concat(chunks).toString('latin1')
    if (/^\* +\d+ +RECENT\b/i.test(text)) chunks.splice(0, Infinity, Buffer.from('* 0 RECENT\r\n'))
  }
  if (selection !== undefined) selection.hasRecent = false
}

const passed: Taken = { kind: 'pass', before: [], owner: undefined, isReport: false }
const omitted: Taken = { ...passed, kind: 'omit' }

function flawOf(asked: AskedAhead, isOk: boolean): DropReason | undefined {
  if (!isOk) return 'refused'
  if (asked.hasWrongNumbers) return 'outdated'
  if (asked.isComplete) return undefined
  if (asked.responses.length === 1 && asked.isRewritten) return 'too-large'
  // The server sends no FETCH response for a message that is gone.
  return asked.answers.kind === 'fetch' ? 'outdated' : 'anomaly'
}
