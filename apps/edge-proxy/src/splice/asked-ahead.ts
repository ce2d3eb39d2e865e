/**
 * One question that went to the server ahead of the client, and its answer as far as it has arrived. It knows which questions
 * of the client its answer answers, and what the client gets of it. What becomes of all of them together is in held.ts.
 */
import type { AnswerKind } from '../ahead/answers.ts'
import { withItems } from '../ahead/fetch-items.ts'
import type { Expecting } from '../ahead/owner.ts'
import { foundIn, readResponse, rewriteEsearch } from '../ahead/responses.ts'
import { isAboutSelection, type Question } from '../ahead/shapes.ts'
import { includesUid } from '../ahead/uid-set.ts'
import { includes, isShared, mayInclude, numbered, type Wider } from '../ahead/wider.ts'
import type { Selection } from './selections.ts'
import type { SentCommand } from './sent-command.ts'

/** One untagged response, copied, and its place among all that the server sent. */
export interface HeldResponse {
  readonly order: number
  readonly chunks: Buffer[]
  /** Of the message that a FETCH response is about. */
  readonly uid?: number | undefined
}

/** Bytes of one answer that are held. */
export const answerBytesMax = 196_608

export class AskedAhead implements Expecting {
  readonly question: Question
  /** It is asked wider than the client is expected to ask it. */
  readonly wider: Wider | undefined
  /** Another one when the session takes over what was asked behind a barrier. */
  sent: SentCommand
  readonly answers: AnswerKind
  /** How many commands asked ahead were unanswered when it was sent, itself included. */
  readonly depth: number
  /** When it was sent; coarse milliseconds. */
  readonly at: number
  /** The mailbox that is selected when the server executes it. For a SELECT, the one that it selects. */
  readonly selection: Selection | undefined
  state: 'expected' | 'claimed' | 'void' | 'returning' = 'expected'
  readonly responses: HeldResponse[] = []
  bytes = 0
  /** The tagged reply from behind its tag, line end included. */
  reply: string | undefined
  /** The client's tag, once it is claimed. */
  clientTag = ''
  /** A message was expunged before it was answered, so its sequence numbers mean other messages than for the client. */
  hasWrongNumbers = false
  /** How many questions its answer has answered, if it may answer several. */
  uses = 0
  /** Kinds of mailbox data that the answer to a SELECT has so far. */
  readonly parts = new Set<string>()
  /** How many messages the mailbox had when the answer began. Undefined: not known. */
  count: number | undefined

  constructor(
    { question, answers, wider }: { question: Question; answers: AnswerKind; wider?: Wider | undefined },
    sent: SentCommand,
    depth: number,
    at: number,
    selection?: Selection,
  ) {
    this.question = question
    this.wider = wider
    this.sent = sent
    this.answers = answers
    this.depth = depth
    this.at = at
    this.selection = selection
  }

  get tag(): string {
    return this.sent.tag
  }

  /** The search whose result the answer is. */
  get searched(): string | undefined {
    return this.wider?.kind === 'last-message' ? undefined : this.question.text
  }

  /** It was asked in another form, or its answer names its tag: the answer is held until it is complete, and rewritten. */
  get isRewritten(): boolean {
    return this.answers.kind === 'esearch'
  }

  /** Whether it asks this question, or may include it. */
  covers(question: Question): boolean {
    if (question.text === this.question.text) return true
    return this.wider !== undefined && mayInclude(this.question, this.wider, question)
  }

  /** It may answer several questions, so it stays after the first one. */
  get isShared(): boolean {
    return this.wider !== undefined && isShared(this.wider)
  }

  /** Whether the answer, which is complete, is the one to this question. */
  hasAnswerTo(question: Question): boolean {
    if (this.wider === undefined) return true
    if (this.isShared) return this.sharedAnswer(question, 'x') !== undefined
    const uids = new Set(this.responses.flatMap(({ uid }) => uid ?? []))
    return includes(this.wider, { count: this.count, uids }, question)
  }

  /** The responses that answer the question. A wider one has more. */
  responsesTo({ answers }: Question): readonly HeldResponse[] {
    const { wider, responses } = this
    if (wider === undefined || answers.kind !== 'fetch' || answers.uids === undefined) return responses
    const { uids } = answers
    return responses.filter(({ uid }) => uid === undefined || includesUid(uids, uid))
  }

  /** The part of a shared answer that answers this question. Undefined: it has none. */
  sharedAnswer(question: Question, clientTag: string): Buffer | undefined {
    const [response, ...others] = this.responses
    if (response === undefined || others.length > 0) return undefined
    if (this.wider?.kind === 'parts') {
      const { answers } = question
      return answers.kind === 'fetch'
        ? withItems(Buffer.concat(response.chunks), answers.items, this.wider.bytesMax)
        : undefined
    }
    if (question.text === this.question.text) return this.rewritten(clientTag)
    const uid = numbered(this.found ?? [], this.count, question)
    return uid === undefined ? undefined : Buffer.from(`* SEARCH ${uid}\r\n`)
  }

  /** The UIDs that a search has found. Undefined: the answer is not understood. */
  get found(): readonly number[] | undefined {
    const [response, ...others] = this.responses
    if (response === undefined || others.length > 0) return undefined
    const line = Buffer.concat(response.chunks).toString('latin1')
    return foundIn(readResponse(line.slice(2)))
  }

  /** It has told something in terms of the selected mailbox. */
  get hasMailboxData(): boolean {
    return this.responses.length > 0 && isAboutSelection(this.question)
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
