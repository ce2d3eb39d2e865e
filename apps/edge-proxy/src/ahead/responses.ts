/** Parses an untagged response as far as answer-ahead needs: to find the command that it answers, and facts about a mailbox. */
import { itemKey } from './answers.ts'
import { mailboxName } from './tokens.ts'
import { parseUidSet, uidsOf, type UidSet } from './uid-set.ts'

export type Response =
  | {
      kind: 'status'
      mailbox: string | undefined
      items: ReadonlySet<string>
      messages: number | undefined
      uidNext: number | undefined
    }
  /** `name`: as the server writes it; undefined if it is a literal. */
  | { kind: 'list'; name: string | undefined }
  | { kind: 'lsub' | 'namespace' | 'quota' | 'rights' | 'acl' | 'metadata' }
  | { kind: 'search' | 'sort' | 'thread'; uids: readonly number[] | undefined }
  /** `all`: empty if no message was found; undefined if the response has no such list. */
  | { kind: 'esearch'; tag: string | undefined; all: UidSet | undefined }
  /** `items`: those in the first line, up to the first literal, in the order of the server. */
  | { kind: 'fetch'; uid: number | undefined; items: ReadonlySet<string>; size: number | undefined }
  | { kind: 'exists'; count: number }
  /** `number`: undefined for VANISHED, which can name several messages. */
  | { kind: 'expunge'; number: number | undefined }
  | { kind: 'recent'; count: number }
  | { kind: 'flags' }
  /** An untagged OK with a code about the selected mailbox. */
  | { kind: 'mailbox-code'; code: string; value: number | undefined }
  /** An untagged OK that says how far the server is with the command of this tag (RFC 9585). */
  | { kind: 'progress'; tag: string | undefined }
  | { kind: 'other' }

const other: Response = { kind: 'other' }

/** Codes of an untagged OK that are not about the selected mailbox. Servers have many others, such as URLMECH and MYRIGHTS. */
const generalCodes = new Set([
  ...['ALERT', 'PARSE', 'CAPABILITY', 'REFERRAL', 'COPYUID', 'APPENDUID', 'MODIFIED', 'OVERQUOTA'],
  ...['BADCHARSET', 'NOTIFICATIONOVERFLOW', 'COMPRESSIONACTIVE'],
])

const plainKinds: Readonly<Record<string, Response>> = {
  LSUB: { kind: 'lsub' },
  NAMESPACE: { kind: 'namespace' },
  QUOTA: { kind: 'quota' },
  QUOTAROOT: { kind: 'quota' },
  MYRIGHTS: { kind: 'rights' },
  ACL: { kind: 'acl' },
  METADATA: { kind: 'metadata' },
  FLAGS: { kind: 'flags' },
  VANISHED: { kind: 'expunge', number: undefined },
}

/** @param line the first line of an untagged response, or its beginning, without `* ` */
export function readResponse(line: string): Response {
  const head = /^(?:(\d+) +)?([A-Za-z]+)/.exec(line)
  if (!head) return other
  const word = head[2]!.toUpperCase()
  const rest = line.slice(head[0].length)
  if (head[1] !== undefined) return readNumbered(Number(head[1]), word, rest)
  switch (word) {
    case 'STATUS':
      return readStatus(rest)
    case 'SEARCH':
    case 'SORT':
      return { kind: word === 'SEARCH' ? 'search' : 'sort', uids: numbersIn(rest) }
    case 'THREAD':
      return { kind: 'thread', uids: undefined }
    case 'ESEARCH':
      return readEsearch(rest)
    case 'LIST':
      return { kind: 'list', name: listedName.exec(rest)?.[1] }
    case 'OK':
      return readCode(rest)
    default:
      return Object.hasOwn(plainKinds, word) ? plainKinds[word]! : other
  }
}

/** ` (\HasNoChildren) "." Sent` */
const listedName = /^ \([^()]*\) (?:"(?:[^"\\]|\\.)*"|NIL) ("(?:[^"\\]|\\.)*"|[^\s"(){}]+) *\r?\n$/i

export const tellsFlags = (response: Response): boolean =>
  response.kind === 'fetch' && response.items.has('FLAGS')

/** The UIDs in a response to a search. Undefined: the response does not list them. */
export function foundIn(response: Response): readonly number[] | undefined {
  if (response.kind === 'search' || response.kind === 'sort') return response.uids
  if (response.kind !== 'esearch') return undefined
  return response.all ? uidsOf(response.all, 10_000) : []
}

function readNumbered(count: number, word: string, rest: string): Response {
  switch (word) {
    case 'EXISTS':
      return { kind: 'exists', count }
    case 'EXPUNGE':
      return { kind: 'expunge', number: count }
    case 'RECENT':
      return { kind: 'recent', count }
    case 'FETCH':
      return readFetch(rest)
    default:
      return other
  }
}

function readStatus(rest: string): Response {
  const name = /^ +("(?:[^"\\]|\\.)*"|[^\s"(){}]+) +\(/.exec(rest)
  const items = name ? rest.slice(name[0].length) : ''
  const numberOf = (item: string): number | undefined => {
    const value = new RegExp(`\\b${item} (\\d+)`, 'i').exec(items)?.[1]
    return value === undefined ? undefined : Number(value)
  }
  return {
    kind: 'status',
    mailbox: name ? mailboxName(name[1]!) : undefined,
    items: new Set(Array.from(items.matchAll(/([A-Z]+) \d+(?=[ )])/gi), ([, item]) => item!.toUpperCase())),
    messages: numberOf('MESSAGES'),
    uidNext: numberOf('UIDNEXT'),
  }
}

function numbersIn(rest: string): number[] | undefined {
  return /^[ \d]*\r?\n$/.test(rest) ? (rest.match(/\d+/g) ?? []).map(Number) : undefined
}

function readEsearch(rest: string): Response {
  const tag = /^ \(TAG (?:"([^"\\]*)"|([^\s"()]+))\)/i.exec(rest)
  const all = / ALL ([\d:,]+)(?= |\r?\n)/i.exec(rest)
  const isEmpty = /^ \([^()]*\)(?: UID)?\r?\n$/i.test(rest)
  return {
    kind: 'esearch',
    tag: tag?.[1] ?? tag?.[2],
    all: all ? parseUidSet(all[1]!) : isEmpty ? [] : undefined,
  }
}

function readCode(rest: string): Response {
  const code = /^ \[([A-Za-z-]+)(?: (\d+)(?=\]))?/.exec(rest)
  const name = code?.[1]!.toUpperCase() ?? ''
  if (name === 'INPROGRESS')
    return { kind: 'progress', tag: /^ \("([^"]*)"/.exec(rest.slice(code![0].length))?.[1] }
  if (name === '' || generalCodes.has(name)) return other
  return { kind: 'mailbox-code', code: name, value: code?.[2] === undefined ? undefined : Number(code[2]) }
}

const itemName = /[A-Za-z0-9.-]+(?:\[[^\]]*\](?:<\d+>)?)?/y

/** `rest`: ` (UID 31 FLAGS (\Seen) BODY[2] {1234}` and so on. */
function readFetch(rest: string): Response {
  const items = new Set<string>()
  let uid: number | undefined
  let size: number | undefined
  let at = rest.indexOf('(') + 1
  while (at > 0 && at < rest.length) {
    while (rest[at] === ' ') at++
    itemName.lastIndex = at
    const name = itemName.exec(rest)?.[0]
    if (name === undefined) break
    const key = itemKey(name)
    items.add(key)
    at += name.length
    while (rest[at] === ' ') at++
    const end = valueEnd(rest, at)
    if (key === 'UID') uid = numberAt(rest, at, end)
    if (key === 'RFC822.SIZE') size = numberAt(rest, at, end)
    at = end
  }
  return { kind: 'fetch', uid, items, size }
}

function numberAt(text: string, from: number, to: number): number | undefined {
  const digits = text.slice(from, to)
  return /^\d{1,12}$/.test(digits) ? Number(digits) : undefined
}

/** The index after the value at `at`, which is an atom, a string or a list. A literal is the end of the line. */
function valueEnd(text: string, at: number): number {
  let depth = 0
  for (let index = at; index < text.length; index++) {
    switch (text[index]) {
      case '"':
        index++
        while (index < text.length && text[index] !== '"') index += text[index] === '\\' ? 2 : 1
        break
      case '(':
        depth++
        break
      case ')':
        if (depth === 0) return index
        depth--
        break
      case ' ':
      case '\r':
        if (depth === 0) return index
        break
      default:
    }
  }
  return text.length
}

/**
 * Rewrites an ESEARCH response as the answer to the client's command.
 * @param line the complete response
 * @param tag the tag of the client's command if it has RETURN; undefined: it is a plain SEARCH
 * @returns undefined if the response cannot be parsed, or has too many messages for a SEARCH response
 */
export function rewriteEsearch(line: string, tag: string | undefined): string | undefined {
  const shape =
    /^\* ESEARCH \(TAG (?:"[^"\\]*"|[^\s"()]+)\)((?: UID)?(?: (?:ALL [\d:,]+|(?:MIN|MAX|COUNT) \d+))*)\r\n$/i
  const rest = shape.exec(line)?.[1]
  if (rest === undefined) return undefined
  if (tag !== undefined) return `* ESEARCH (TAG "${tag}")${rest}\r\n`
  const all = / ALL ([\d:,]+)/i.exec(rest)
  if (!all) return '* SEARCH\r\n'
  const set = parseUidSet(all[1]!)
  if (set === undefined) return undefined
  let count = 0
  for (const [first, last] of set) count += last - first + 1
  if (count > searchedMax) return undefined
  let text = '* SEARCH'
  for (const [first, last] of set) for (let uid = first; uid <= last; uid++) text += ` ${uid}`
  return `${text}\r\n`
}

/** A result with more messages is not printed as a SEARCH response. */
const searchedMax = 500_000

/** Content types that clients treat differently. All others are `other`. */
const contentTypes = new Set([
  ...['text/plain', 'text/html', 'multipart/alternative', 'multipart/mixed', 'multipart/related'],
  ...['multipart/signed', 'multipart/report', 'text/calendar', 'multipart/encrypted'],
])
const headerBytesMax = 4096

/**
 * The content type of a message, from the header in the literal after a response's first line. One of `contentTypes`, or `other`.
 * @param end the line feed of the first line
 * @returns undefined if the bytes do not contain a complete header
 */
export function contentTypeBehind(bytes: Buffer, end: number): string | undefined {
  const size = /BODY\[HEADER[^\]]*\] \{(\d{1,5})\}\r$/i.exec(
    bytes.toString('latin1', Math.max(0, end - 600), end),
  )
  const length = Number(size?.[1] ?? Infinity)
  if (length > headerBytesMax || end + 1 + length > bytes.length) return undefined
  const header = bytes.toString('latin1', end + 1, end + 1 + length)
  const type = /^content-type:\s*([a-z]{1,20}\/[a-z0-9.+-]{1,40})/im.exec(header)?.[1]?.toLowerCase()
  return type !== undefined && contentTypes.has(type) ? type : 'other'
}
