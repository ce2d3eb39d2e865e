/**
 * One question that was sent ahead of the client, and its answer as far as it has arrived. Decides which commands of the
 * client the answer can serve, and which part of the answer the client gets. held.ts manages all questions of a session.
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

/** A copy of one untagged response. `order`: its position in the sequence of responses that the edge kept. */
export interface HeldResponse {
  readonly order: number
  readonly chunks: Buffer[]
  /** UID of the message in a FETCH response. */
  readonly uid?: number | undefined
}

/** Limit on the bytes of one held answer. */
export const answerBytesMax = 196_608

export class AskedAhead implements Expecting {
  readonly question: Question
  /** The wider form in which it was sent. Undefined: it was sent as the client is expected to ask it. */
  readonly wider: Wider | undefined
  /** Replaced when the session takes over a question that was sent behind a barrier. */
  sent: SentCommand
  readonly answers: AnswerKind
  /** How many questions were unanswered after it was sent, itself included. */
  readonly depth: number
  /** Whether the server had answered so many questions at once before. */
  readonly isTried: boolean
  /** When it was sent; coarse milliseconds. */
  readonly at: number
  /** The mailbox that is selected when the server executes the question. For a SELECT, the mailbox that it selects. */
  readonly selection: Selection | undefined
  state: 'expected' | 'claimed' | 'void' | 'returning' = 'expected'
  readonly responses: HeldResponse[] = []
  bytes = 0
  /** The tagged reply without its tag, line end included. */
  reply: string | undefined
  /** The tag of the client's command, once the answer is claimed. */
  clientTag = ''
  /** A message was expunged before the answer began, so its sequence numbers differ from those that the client knows. */
  hasWrongNumbers = false
  /** How many commands of the client a shared answer has served. */
  uses = 0
  /** Kinds of mailbox data received so far, in the answer to a SELECT. */
  readonly parts = new Set<string>()
  /** Number of messages in the mailbox when the answer began. Undefined: unknown. */
  count: number | undefined

  constructor(
    { question, answers, wider }: { question: Question; answers: AnswerKind; wider?: Wider | undefined },
    sent: SentCommand,
    { depth, isTried, at }: { depth: number; isTried: boolean; at: number },
    selection?: Selection,
  ) {
    this.question = question
    this.wider = wider
    this.sent = sent
    this.answers = answers
    this.depth = depth
    this.isTried = isTried
    this.at = at
    this.selection = selection
  }

  get tag(): string {
    return this.sent.tag
  }

  /** The search that the server executed. Undefined if this is not the search of the question. */
  get searched(): string | undefined {
    return this.wider?.kind === 'last-message' ? undefined : this.question.text
  }

  /** The answer is an ESEARCH response, which names the tag: it is held until it is complete, and rewritten. */
  get isRewritten(): boolean {
    return this.answers.kind === 'esearch'
  }

  /** Whether it asks the same as this question, or may include its answer. */
  covers(question: Question): boolean {
    if (question.text === this.question.text) return true
    return this.wider !== undefined && mayInclude(this.question, this.wider, question)
  }

  /** The answer can serve several commands of the client, so it is kept after the first one. */
  get isShared(): boolean {
    return this.wider !== undefined && isShared(this.wider)
  }

  /** Whether the complete answer contains the answer to this question. */
  hasAnswerTo(question: Question): boolean {
    if (this.wider === undefined) return true
    if (this.isShared) return this.sharedAnswer(question, 'x') !== undefined
    const uids = new Set(this.responses.flatMap(({ uid }) => uid ?? []))
    return includes(this.wider, { count: this.count, uids }, question)
  }

  /** The responses that answer this question. A wider answer also has responses about other messages. */
  responsesTo({ answers }: Question): readonly HeldResponse[] {
    const { wider, responses } = this
    if (wider === undefined || answers.kind !== 'fetch' || answers.uids === undefined) return responses
    const { uids } = answers
    return responses.filter(({ uid }) => uid === undefined || includesUid(uids, uid))
  }

  /** The part of a shared answer that answers this question. Undefined: the answer does not contain it. */
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

  /** The UIDs in the answer to a search. Undefined: the answer cannot be parsed. */
  get found(): readonly number[] | undefined {
    const [response, ...others] = this.responses
    if (response === undefined || others.length > 0) return undefined
    const line = Buffer.concat(response.chunks).toString('latin1')
    return foundIn(readResponse(line.slice(2)))
  }

  /** Responses have arrived, and they are about the selected mailbox. */
  get hasMailboxData(): boolean {
    return this.responses.length > 0 && isAboutSelection(this.question)
  }

  /** Whether the answer has the responses that an answer of its kind must have. */
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

  /** The ESEARCH response in the form that the client expects. Undefined: it cannot be parsed. */
  rewritten(clientTag: string): Buffer | undefined {
    const line = Buffer.concat(this.responses.flatMap(({ chunks }) => chunks)).toString('latin1')
    const text = rewriteEsearch(line, this.question.isPlainSearch ? undefined : clientTag)
    return text === undefined ? undefined : Buffer.from(text, 'latin1')
  }
}
