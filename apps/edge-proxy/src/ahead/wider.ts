/**
 * Questions that are sent in a wider form than the client is expected to use. The answer is then also useful if the mailbox has
 * changed since the last facts about it, or if the client asks one of several questions:
 *
 *   UID SEARCH 300                ─▶  UID SEARCH *           the last message, however many there are
 *   UID SEARCH 300                ─▶  UID SEARCH ALL         also every other one, by its number
 *   UID FETCH 251:300 (…)         ─▶  UID FETCH 251:* (…)    also the messages that have arrived since
 *   UID FETCH 13:62 (…)           ─▶  UID FETCH 1:* (…)      also the rest of a mailbox that has few more messages
 *   UID FETCH 251:300 (…)         ─▶  FETCH 251:* (…)        the newest messages, whatever their UIDs are
 *   UID FETCH 7 (BODY.PEEK[1])    ─▶  UID FETCH 7 (BODY.PEEK[1] BODY.PEEK[2])    several parts of a message
 *   UID FETCH 7 (BODY.PEEK[1])    ─▶  UID FETCH 7 (BODY.PEEK[1]<0.32768>)    a part of a large message, if it is not longer
 *
 * The client gets the part of the answer that it asks for, and only if this part is complete.
 */
import type { MailboxFacts } from './facts.ts'
import { commandOf, type Question } from './shapes.ts'
import { includesUid, uidCount } from './uid-set.ts'

export type Wider =
  | { readonly kind: 'last-message' }
  | { readonly kind: 'all-messages' }
  | { readonly kind: 'newest'; readonly from: number }
  | { readonly kind: 'numbered' }
  /** `bytesMax`: number of bytes requested of each part. A part that is not shorter is not given to the client. */
  | { readonly kind: 'parts'; readonly bytesMax?: number }

const lastMessage: Wider = { kind: 'last-message' }
const allMessages: Wider = { kind: 'all-messages' }
const numberedMessages: Wider = { kind: 'numbered' }
const parts: Wider = { kind: 'parts' }

/** Limits on the bytes requested of all parts, and of one part, if the message may be larger. */
const boundedBytesMax = 131_072
const boundedPartMax = 32_768
/** In a larger mailbox, a message is not looked up in a list of all messages. */
const listedMax = 2000
/** If at most this share of a page is not on the newest page, the whole mailbox is requested, which has all pages. */
const otherPagesMax = 0.5

/** Whether the complete answer can serve several questions, one after the other. */
export const isShared = ({ kind }: Wider): boolean => kind === 'all-messages' || kind === 'parts'

/**
 * The wider form of the question. Undefined: it has none.
 * @param isSmall whether the content that it asks for is known to be small enough to be held
 */
export function widerThan(question: Question, facts: MailboxFacts, isSmall = true): Wider | undefined {
  const { answers } = question
  if (numberIn(question) !== undefined) return numberIn(question) === facts.exists ? lastMessage : undefined
  if (isForAll(question)) return (facts.exists ?? Infinity) <= listedMax ? allMessages : undefined
  const count = partsIn(question)?.length ?? 0
  if (count > 0 && !isSmall)
    return { kind: 'parts', bytesMax: Math.min(boundedPartMax, Math.floor(boundedBytesMax / count)) }
  if (count > 1) return parts
  if (isByNumber(question)) return numberedMessages
  if (answers.kind !== 'fetch' || answers.uids === undefined || question.bodiesOf !== undefined)
    return undefined
  if (!facts.isTail(answers.uids)) return undefined
  const pageSize = uidCount(answers.uids)
  const others = (facts.exists ?? Infinity) - pageSize
  const isWhole = others > 0 && others <= pageSize * otherPagesMax
  return { kind: 'newest', from: isWhole ? 1 : answers.uids[0]![0] }
}

/** Replaces a question for the last message by one for all messages, if the mailbox is small. */
export function withAllMessages(question: Question, facts: MailboxFacts): Question {
  const isForLast = widerThan(question, facts)?.kind === 'last-message'
  return isForLast && facts.exists! <= listedMax ? everyMessage : question
}

const everyMessage = commandOf('UID SEARCH ALL').question!

const isForAll = ({ text, isPlainSearch }: Question): boolean =>
  isPlainSearch && /^UID SEARCH ALL$/i.test(text)

/** The sequence number in a search for exactly one message by its number. */
function numberIn({ shape, isPlainSearch, usesNumbers, holes }: Question): number | undefined {
  const isAlone = isPlainSearch && usesNumbers && holes.length === 1 && shape.length === 'UID SEARCH x'.length
  return isAlone && /^\d{1,10}$/.test(holes[0]!) ? Number(holes[0]) : undefined
}

/** `BODY.PEEK[1.2]`, `BODY.PEEK[2.MIME]`: data that never changes. Reading it does not mark the message as read. */
const part = /^BODY\.PEEK\[\d+(?:\.\d+)*(?:\.MIME)?\]$/

/** The parts that a question asks for, in upper case. Undefined unless it asks only for parts of one message. */
export function partsIn({ text, holes, answers }: Question): readonly string[] | undefined {
  if (answers.kind !== 'fetch' || !/^\d+$/.test(holes[0]!)) return undefined
  const items = /^UID FETCH \d+ \(?([^()]+)\)?$/i.exec(text)?.[1]!.toUpperCase().split(' ')
  return items?.every((item) => part.test(item)) ? items : undefined
}

/** One question for all parts that these questions ask for. All are about the same message. */
export function withAllParts(questions: readonly [Question, ...Question[]]): Question {
  const items = new Set(questions.flatMap((question) => partsIn(question)!))
  return commandOf(`UID FETCH ${questions[0].holes[0]} (${[...items].join(' ')})`).question!
}

/** How often the same text may be in the answer: a multipart contains its parts. */
export function copiesIn(question: Question): number {
  const numbers = (partsIn(question) ?? []).map((item) => /[\d.]*\d/.exec(item)![0])
  const outer = (number: string) => numbers.filter((each) => number.startsWith(`${each}.`)).length
  return 1 + Math.max(0, ...numbers.map(outer))
}

/**
 * A question for the newest messages by sequence numbers, for a page of messages whose UIDs are unknown.
 * @param question a question for a page, with any UIDs
 * @param first the sequence number of the oldest message that may be on the page
 * @returns undefined if the answer would not contain UIDs, or if the question asks for bodies
 */
export function newestByNumber(question: Question, first: number): Question | undefined {
  const { answers, text } = question
  const items = /^UID FETCH \d+ (\(.*\))$/i.exec(text)?.[1]
  if (items === undefined || answers.kind !== 'fetch' || !answers.items.has('UID')) return undefined
  if (question.bodiesOf !== undefined) return undefined
  const set = `${first}:*`
  return {
    ...question,
    text: `FETCH ${set} ${items}`,
    holes: [set],
    answers: { ...answers, uids: undefined },
  }
}

const isByNumber = ({ text }: Question): boolean => text.startsWith('FETCH ')

/** The text of the question as it is sent. */
export function widerText({ text, holes }: Question, wider: Wider): string {
  if (wider.kind === 'newest') return text.replace(holes[0]!, `${wider.from}:*`)
  if (wider.kind === 'parts' && wider.bytesMax !== undefined)
    return text.replaceAll(/BODY\.PEEK\[[\d.]+\]/gi, `$&<0.${wider.bytesMax}>`)
  return wider.kind === 'last-message' ? text.replace(holes[0]!, '*') : text
}

/**
 * Whether the answer to the wider question may contain the answer to this one.
 * @param asked the question that was sent in a wider form
 */
export function mayInclude(asked: Question, wider: Wider, question: Question): boolean {
  const { answers } = question
  switch (wider.kind) {
    case 'last-message':
    case 'all-messages':
      return numberIn(question) !== undefined
    case 'newest':
      return (
        question.shape === asked.shape &&
        answers.kind === 'fetch' &&
        // A question by sequence numbers may be about the same messages.
        (isByNumber(question) || answers.uids?.every(([first]) => first >= wider.from) === true)
      )
    case 'numbered':
      return question.shape === asked.shape
    case 'parts': {
      const among = partsIn(asked)
      return (
        question.holes[0] === asked.holes[0] &&
        partsIn(question)?.every((item) => among?.includes(item)) === true
      )
    }
  }
}

/** The contents of the answer to a wider question. */
interface WiderAnswer {
  /** Number of messages in the mailbox. Undefined: unknown. */
  readonly count: number | undefined
  /** The messages in the answer. */
  readonly uids: ReadonlySet<number>
}

/** Whether the answer contains everything that the question asks for. */
export function includes(wider: Wider, { count, uids }: WiderAnswer, question: Question): boolean {
  if (wider.kind === 'last-message') return count !== undefined && numberIn(question) === count
  const { answers } = question
  if (answers.kind !== 'fetch' || answers.uids === undefined) return false
  let wanted = 0
  for (const [first, last] of answers.uids) wanted += last - first + 1
  let found = 0
  for (const uid of uids) if (includesUid(answers.uids, uid)) found++
  return found === wanted
}

/**
 * The UID of the message with the sequence number that the question asks for.
 * @param count number of messages in the mailbox
 * @returns undefined if the list does not have all messages, or not this one
 */
export function numbered(
  found: readonly number[],
  count: number | undefined,
  question: Question,
): number | undefined {
  const number = numberIn(question)
  if (number === undefined || found.length !== count) return undefined
  return found.toSorted((one, other) => one - other)[number - 1]
}
