/**
 * Parses commands for learning and for asking ahead. The shape of a command keeps the words of the grammar, the item lists of
 * FETCH and part numbers. Every other token is a hole, so that shapes contain no data of a user.
 *
 *   UID FETCH 31 (BODY.PEEK[2])   ─▶   shape `UID FETCH □ (BODY.PEEK[2])`, holes [`31`]
 *
 * An allow list decides which commands may be asked ahead. A command that is not understood word for word is learned, but
 * never asked ahead.
 */
import { itemKey, type AnswerKind } from './answers.ts'
import { flatList, mailboxName, tokensOf, type Token } from './tokens.ts'
import { parseUidSet, type UidSet } from './uid-set.ts'

/** Stands for a token that belongs to one user. */
const hole = '\u25a1'

export interface Command {
  /** As the client writes it, without tag and line end. */
  readonly text: string
  readonly shape: string
  /** The tokens that the holes stand for, as the client wrote them. */
  readonly holes: readonly string[]
  readonly answers: AnswerKind
  /** The mailbox that it selects, normalized by `mailboxName`. */
  readonly selects: string | undefined
  /** Its answer is a list of UIDs. */
  readonly isSearch: boolean
  /** Undefined: the command is never asked ahead. */
  readonly question: Question | undefined
}

/** A command that the edge may ask ahead. */
export interface Question {
  /** As the client writes it, without tag and line end. */
  readonly text: string
  readonly shape: string
  /** The tokens that the holes stand for. */
  readonly holes: readonly string[]
  /** The words of the command, for the trace. */
  readonly name: string
  readonly answers: AnswerKind
  readonly selects: string | undefined
  /** It names messages by sequence numbers. */
  readonly usesNumbers: boolean
  /** It is about the selected mailbox. */
  readonly needsMailbox: boolean
  /** Its answer contains flags. */
  readonly hasFlags: boolean
  /** What the answer depends on in the selected mailbox. `nothing`: data of messages that never changes (RFC 9051 2.3.1.1). */
  readonly dependsOn: 'nothing' | 'members' | 'flags'
  /** The messages whose content it asks for. Their sizes must be known. */
  readonly bodiesOf: UidSet | undefined
  /** A UID SEARCH without RETURN. It is sent as ESEARCH if the server has it. */
  readonly isPlainSearch: boolean
  /** It enables CONDSTORE if it is not enabled already (RFC 7162 3.1). */
  readonly enablesCondstore: boolean
}

/** Whether the question depends on the selected mailbox, or changes it. */
export const isAboutSelection = ({ needsMailbox, selects }: Question): boolean =>
  needsMailbox || selects !== undefined

/** Fills the holes of a shape. */
export function fillShape(shape: string, holes: readonly string[]): string {
  let index = 0
  return shape.replaceAll(hole, () => holes[index++] ?? '')
}

/** How many holes a shape has. */
export const holesIn = (shape: string): number => shape.split(hole).length - 1

/** Longer shapes are not learned. */
const shapeMax = 1024

/** Learned like a shape when the session ends after a command. */
export const endShape = 'end'

/** @param text a command without tag and line end, complete or as far as it has arrived */
export function commandOf(text: string): Command {
  const tokens = tokensOf(text)
  if (tokens === undefined || tokens.length === 0) return unknown(text)
  const parsed = parse(text, tokens)
  if (parsed === undefined || parsed.shape.length > shapeMax) return unknown(text)
  return parsed
}

/** A command that is not understood. Only its verb tells the kind of its answers. */
function unknown(text: string): Command {
  const [verb = '', second = ''] = text.slice(0, 100).toUpperCase().split(' ', 2)
  const name = verb === 'UID' ? `UID ${second}` : verb
  const isSelect = verb === 'SELECT' || verb === 'EXAMINE'
  return {
    text,
    shape: /^[A-Z ]{1,40}$/.test(name) ? name : 'OTHER',
    holes: [],
    answers: answersByName[name] ?? { kind: 'anything' },
    selects: isSelect ? mailboxName(selectedName.exec(text)?.[1] ?? '') : undefined,
    isSearch: isSearching(name),
    question: undefined,
  }
}

const selectedName = /^\S+ +("(?:[^"\\]|\\.)*"|[^\s"(){}]+) /

const none: AnswerKind = { kind: 'none' }
/** Kinds of answers by verb, also for forms that are not parsed. */
const answersByName: Readonly<Record<string, AnswerKind>> = Object.fromEntries(
  [
    ...['APPEND', 'CHECK', 'CLOSE', 'COPY', 'CREATE', 'DELETE', 'EXPUNGE', 'IDLE', 'LOGOUT', 'MOVE', 'NOOP'],
    ...['RENAME', 'STORE', 'SUBSCRIBE', 'UID COPY', 'UID EXPUNGE', 'UID MOVE', 'UID STORE', 'UNSELECT'],
    ...['UNSUBSCRIBE', 'ENABLE', 'CAPABILITY', 'ID'],
  ].map((name) => [name, none]),
)

const quoted = (text: string): boolean => text.startsWith('"')
const wordsOf = (tokens: readonly Token[]): string[] =>
  tokens.map(({ text }) => (quoted(text) ? text : text.toUpperCase()))

/** The result of parsing one kind of command. */
interface Reading {
  /** Indexes of the tokens that are holes. */
  holes: readonly number[]
  answers: AnswerKind
  name: string
  isAskable?: boolean
  selects?: string
  needsMailbox?: boolean
  hasFlags?: boolean
  dependsOn?: Question['dependsOn']
  bodiesOf?: UidSet | undefined
  isPlainSearch?: boolean
  enablesCondstore?: boolean
}

function parse(text: string, tokens: readonly Token[]): Command | undefined {
  const words = wordsOf(tokens)
  const reading = read(words, tokens)
  if (reading === undefined) return undefined
  let shape = ''
  let at = 0
  for (const index of reading.holes) {
    const token = tokens[index]!
    shape += text.slice(at, token.from) + hole
    at = token.to
  }
  shape += text.slice(at)
  const { answers, name, isAskable = true } = reading
  const holes = reading.holes.map((index) => tokens[index]!.text)
  const question: Question = {
    text,
    shape,
    holes,
    name,
    answers,
    selects: reading.selects,
    usesNumbers: searchesByKeys.test(name) && holes.some(isNumbers),
    needsMailbox: reading.needsMailbox === true,
    hasFlags: reading.hasFlags === true,
    dependsOn: reading.dependsOn ?? 'nothing',
    bodiesOf: reading.bodiesOf,
    isPlainSearch: reading.isPlainSearch === true,
    enablesCondstore: reading.enablesCondstore === true,
  }
  return {
    text,
    shape,
    selects: reading.selects,
    isSearch: isSearching(name),
    holes,
    answers,
    question: isAskable ? question : undefined,
  }
}

function read(words: readonly string[], tokens: readonly Token[]): Reading | undefined {
  const verb = words[0]!
  switch (verb) {
    case 'SELECT':
    case 'EXAMINE':
      // SELECT with parameters enables extensions.
      return words.length === 2 && isName(words[1])
        ? { holes: [1], answers: { kind: 'select' }, name: verb, selects: mailboxName(tokens[1]!.text) }
        : undefined
    case 'STATUS':
      return readStatus(words, tokens)
    case 'LIST':
    case 'LSUB':
      return readList(words)
    case 'NAMESPACE':
      return words.length === 1 ? { holes: [], answers: { kind: 'namespace' }, name: verb } : undefined
    case 'GETQUOTA':
    case 'GETQUOTAROOT':
      return oneName(words, { kind: 'quota' })
    case 'MYRIGHTS':
      return oneName(words, { kind: 'rights' })
    case 'GETACL':
      return oneName(words, { kind: 'acl' })
    case 'GETMETADATA':
      return readMetadata(words)
    case 'UID':
      return readUid(words, tokens)
    default:
      return undefined
  }
}

const isName = (word: string | undefined): boolean => word !== undefined && word !== '(' && word !== ')'

function oneName(words: readonly string[], answers: AnswerKind): Reading | undefined {
  return words.length === 2 && isName(words[1]) ? { holes: [1], answers, name: words[0]! } : undefined
}

const statusItems = new Set([
  ...['MESSAGES', 'RECENT', 'UIDNEXT', 'UIDVALIDITY', 'UNSEEN', 'DELETED', 'SIZE', 'HIGHESTMODSEQ'],
])

function readStatus(words: readonly string[], tokens: readonly Token[]): Reading | undefined {
  const list = flatList(tokens, 2)
  if (!isName(words[1]) || list?.next !== words.length) return undefined
  if (!words.slice(3, -1).every((item) => statusItems.has(item))) return undefined
  const mailbox = mailboxName(tokens[1]!.text)
  return {
    holes: [1],
    // Servers write other names as literals, and the response could not be matched.
    isAskable: /^[ -!#-[\]-~]{1,255}$/.test(mailbox),
    answers: { kind: 'status', mailbox, items: new Set(words.slice(3, -1)) },
    name: 'STATUS',
    enablesCondstore: words.includes('HIGHESTMODSEQ', 3),
  }
}

const listWords = new Set([
  ...['(', ')', '""', '"*"', '*', '%', '"%"', 'RETURN', 'SUBSCRIBED', 'REMOTE', 'RECURSIVEMATCH'],
  ...['SPECIAL-USE', 'CHILDREN'],
])

/** LIST with STATUS has two kinds of responses, and is not asked ahead. */
function readList(words: readonly string[]): Reading | undefined {
  const verb = words[0]!
  if (words.length < 3 || words.includes('STATUS')) return undefined
  const holes = words.flatMap((word, index) => (index === 0 || listWords.has(word) ? [] : [index]))
  return { holes, answers: { kind: verb === 'LIST' ? 'list' : 'lsub' }, name: verb }
}

function readMetadata(words: readonly string[]): Reading | undefined {
  const holes = words.flatMap((word, index) => (index === 0 || word === '(' || word === ')' ? [] : [index]))
  return holes.length > 0 ? { holes, answers: { kind: 'metadata' }, name: words[0]! } : undefined
}

function readUid(words: readonly string[], tokens: readonly Token[]): Reading | undefined {
  switch (words[1]) {
    case 'SEARCH':
      return readSearch(words, tokens)
    case 'SORT':
    case 'THREAD':
      return readSort(words, tokens)
    case 'FETCH':
      return readFetch(words, tokens)
    case 'COPY':
    case 'MOVE':
      return words.length === 4 && isNumbers(words[2]!) && isName(words[3])
        ? { holes: [2, 3], answers: none, name: `UID ${words[1]}`, isAskable: false }
        : undefined
    default:
      return undefined
  }
}

/** Search keys and their numbers of arguments. The arguments are holes (RFC 9051 6.4.4). */
const searchKeys: Readonly<Record<string, number>> = {
  ...Object.fromEntries(
    [
      ...['ALL', 'ANSWERED', 'DELETED', 'DRAFT', 'FLAGGED', 'NEW', 'OLD', 'RECENT', 'SEEN', 'UNANSWERED'],
      ...['UNDELETED', 'UNDRAFT', 'UNFLAGGED', 'UNSEEN', 'OR', 'NOT', '(', ')'],
    ].map((key) => [key, 0]),
  ),
  ...Object.fromEntries(
    [
      ...[
        'BCC',
        'BEFORE',
        'BODY',
        'CC',
        'CHARSET',
        'FROM',
        'KEYWORD',
        'LARGER',
        'ON',
        'SENTBEFORE',
        'SENTON',
      ],
      ...['SENTSINCE', 'SINCE', 'SMALLER', 'SUBJECT', 'TEXT', 'TO', 'UID', 'UNKEYWORD'],
    ].map((key) => [key, 1]),
  ),
  HEADER: 2,
}

/** Names of header fields that many clients search. They contain no data of a user. */
const searchedFields = new Set([
  ...['SUBJECT', 'FROM', 'TO', 'CC', 'BCC', 'SENDER', 'REPLY-TO', 'MESSAGE-ID', 'REFERENCES', 'LIST-ID'],
])

/** Their results change only if messages are added or removed. */
const flaglessKeys = new Set([
  ...['ALL', 'OR', 'NOT', '(', ')', 'BCC', 'BEFORE', 'BODY', 'CC', 'CHARSET', 'FROM', 'HEADER', 'LARGER'],
  ...['ON', 'SENTBEFORE', 'SENTON', 'SENTSINCE', 'SINCE', 'SMALLER', 'SUBJECT', 'TEXT', 'TO', 'UID'],
])

/** These keys make the server read the content of messages, which would delay the other answers. */
const slowKeys = new Set(['BODY', 'TEXT'])

/** The holes of search keys from `from` on. Undefined: a key is unknown. */
function searchHoles(
  words: readonly string[],
  from: number,
): { holes: number[]; isSlow: boolean; dependsOn: 'members' | 'flags' } | undefined {
  const holes: number[] = []
  let isSlow = false
  let dependsOn: 'members' | 'flags' = 'members'
  for (let index = from; index < words.length; index++) {
    const word = words[index]!
    if (isNumbers(word)) {
      holes.push(index)
      continue
    }
    const count = Object.hasOwn(searchKeys, word) ? searchKeys[word]! : -1
    if (count < 0 || index + count >= words.length) return undefined
    isSlow ||= slowKeys.has(word)
    if (!flaglessKeys.has(word)) dependsOn = 'flags'
    for (let next = 0; next < count; next++) {
      index++
      if (!isName(words[index])) return undefined
      if (word !== 'HEADER' || next > 0 || !searchedFields.has(words[index]!)) holes.push(index)
    }
  }
  return { holes, isSlow, dependsOn }
}

const returnItems = new Set(['ALL', 'COUNT', 'MIN', 'MAX'])

function readSearch(words: readonly string[], tokens: readonly Token[]): Reading | undefined {
  let from = 2
  const hasReturn = words[2] === 'RETURN'
  if (hasReturn) {
    const list = flatList(tokens, 3)
    if (list === undefined || !wordsOf(list.items).every((item) => returnItems.has(item))) return undefined
    from = list.next
  }
  const keys = words.length > from ? searchHoles(words, from) : undefined
  if (keys === undefined) return undefined
  return {
    holes: keys.holes,
    answers: { kind: hasReturn ? 'esearch' : 'search' },
    name: 'UID SEARCH',
    isAskable: !keys.isSlow,
    needsMailbox: true,
    dependsOn: keys.dependsOn,
    isPlainSearch: !hasReturn,
  }
}

const sortWords = new Set([
  ...['REVERSE', 'ARRIVAL', 'CC', 'DATE', 'FROM', 'SIZE', 'SUBJECT', 'TO', 'DISPLAYFROM', 'DISPLAYTO'],
])
const threadWords = new Set(['REFERENCES', 'REFS', 'ORDEREDSUBJECT'])

/** `UID SORT (REVERSE DATE) UTF-8 ALL`, `UID THREAD REFERENCES UTF-8 ALL`. */
function readSort(words: readonly string[], tokens: readonly Token[]): Reading | undefined {
  const isSort = words[1] === 'SORT'
  let charset = 3
  if (isSort) {
    const list = flatList(tokens, 2)
    if (list === undefined || !wordsOf(list.items).every((word) => sortWords.has(word))) return undefined
    charset = list.next
  } else if (!threadWords.has(words[2] ?? '')) return undefined
  if (!/^(?:US-ASCII|"?UTF-8"?)$/.test(words[charset] ?? '') || words.length <= charset + 1) return undefined
  const keys = searchHoles(words, charset + 1)
  if (keys === undefined) return undefined
  return {
    holes: keys.holes,
    answers: { kind: isSort ? 'sort' : 'thread' },
    name: `UID ${words[1]}`,
    isAskable: !keys.isSlow,
    needsMailbox: true,
    dependsOn: keys.dependsOn,
  }
}

const plainItems = new Set([
  ...['UID', 'FLAGS', 'INTERNALDATE', 'RFC822.SIZE', 'ENVELOPE', 'BODYSTRUCTURE', 'BODY', 'RFC822.HEADER'],
])
const headerSection = /^BODY\.PEEK\[(?:[\d.]+\.)?(?:HEADER(?:\.FIELDS(?:\.NOT)? \([^()]*\))?|MIME)\]$/
const bodySection = /^(?:BODY|BINARY)\.PEEK\[(?:[\d.]+(?:\.TEXT)?|TEXT)?\](?:<[\d.]+>)?$/

function readFetch(words: readonly string[], tokens: readonly Token[]): Reading | undefined {
  const list = flatList(tokens, 3)
  const items = list ? words.slice(4, list.next - 1) : words.slice(3, 4)
  if (items.length === 0 || (list?.next ?? 4) !== words.length) return undefined
  const isKnown = items.every(
    (item) => plainItems.has(item) || headerSection.test(item) || bodySection.test(item),
  )
  // The macros ALL, FAST and FULL are not expanded, and some items set flags.
  if (!isKnown) return undefined
  const uids = parseUidSet(words[2] ?? '')
  const keys = new Set(items.map(itemKey))
  return {
    holes: [2],
    answers: { kind: 'fetch', items: keys, uids },
    name: 'UID FETCH',
    // An answer that has only flags looks like an unsolicited response.
    isAskable: uids !== undefined && items.some((item) => item !== 'UID' && item !== 'FLAGS'),
    needsMailbox: true,
    hasFlags: keys.has('FLAGS'),
    dependsOn: keys.has('FLAGS') ? 'flags' : 'nothing',
    bodiesOf: items.some((item) => bodySection.test(item)) ? uids : undefined,
  }
}

const bySequence = /^(?:FETCH|STORE|COPY|MOVE|REPLACE|CONVERT|SEARCH|SORT|THREAD)$/
/** Commands that accept sequence numbers as a search key. */
const searchesByKeys = /^UID (?:SEARCH|SORT|THREAD)\b/i
/** A token of such a command that may be a sequence set. */
const numbersToken = /[ (][\d*][\d:,*]*(?=[ )]|$)/

const isSearching = (name: string): boolean => name === 'UID SEARCH' || name === 'UID SORT'
const isNumbers = (text: string): boolean => /^[\d:,*]+$/.test(text)

/** Whether the command, or its answer, names messages by sequence numbers. */
export function usesSequenceNumbers(command: Command): boolean {
  const { shape, holes, text, question } = command
  if (bySequence.test(shape)) return true
  if (!searchesByKeys.test(shape)) return false
  const isParsed = question !== undefined || holes.length > 0
  return isParsed ? holes.some(isNumbers) : numbersToken.test(text)
}
