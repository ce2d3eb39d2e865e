/** The commands that an edge may send to a server itself. */

/** Whether it is a tag of a command of the edge. Tags of a reset begin with R. */
export const isEdgeTag = (tag: string): boolean => /^(?:[RE][0-9a-f]{24}|i\d+)$/.test(tag)
export const isResetTag = (tag: string): boolean => /^R[0-9a-f]{24}$/.test(tag)

const own =
  /^(?:NOOP|LIST "" ""|UNSELECT|EXAMINE INBOX|CLOSE|CAPABILITY|LOGOUT|STARTTLS|ID .*|LOGIN [^]*|AUTHENTICATE .*)$/
/** Commands without changes, which may be asked ahead of a client. SELECT is allowed only if the server has UNSELECT. */
const question =
  /^(?:STATUS|SELECT|EXAMINE|LIST|LSUB|NAMESPACE|(?:UID )?(?:SEARCH|FETCH|SORT|THREAD)|GETQUOTAROOT)\b/

/** @param text without its tag and line end */
export const isEdgeCommand = (text: string): boolean => own.test(text)

/** Whether the command may be asked ahead. A FETCH of a body without PEEK sets \Seen (RFC 9051 6.4.5). */
export const isQuestion = (text: string): boolean =>
  question.test(text) && !/\b(?:BODY|BINARY)\[|RFC822(?!\.SIZE|\.HEADER)/.test(text)

/** Whether the command may be sent behind a barrier, because it does not depend on a selected mailbox. */
export const isQuestionAnywhere = (text: string): boolean =>
  /^(?:STATUS|LIST|LSUB|NAMESPACE|GETQUOTAROOT)\b/.test(text)

/** Whether the command enables CONDSTORE (RFC 7162 3.1). */
export const enablesCondstore = (text: string): boolean =>
  /\b(?:HIGHESTMODSEQ|MODSEQ|CHANGEDSINCE|CONDSTORE)\b/.test(text)

/** The command as the edge sends it. Plain searches are sent as extended ones, because their answers can be told apart. */
export const asAsked = (text: string): string =>
  text.replace(/^(UID SEARCH )RETURN \(ALL\) /i, '$1').toUpperCase()

/** Whether the answer may serve several questions, one after the other. `asked` is in upper case. */
export const isShared = (asked: string): boolean =>
  asked === 'UID SEARCH ALL' || partsOf(asked).length > 1 || isBounded(asked)

/** Whether it asks for the first bytes of parts. A longer part would be cut off. */
const isBounded = (asked: string): boolean => partsOf(asked).length > 0 && asked.includes(']<0.')

/** The parts that a question asks for. Empty if it also asks for other items. */
export function partsOf(text: string): string[] {
  const items = /^UID FETCH \d+ \((.*)\)$/i.exec(text)?.[1]!.split(' ') ?? []
  if (!items.every((item) => /^BODY\.PEEK\[[\d.]+(?:MIME)?\](?:<0\.\d+>)?$/i.test(item))) return []
  return items.map((item) => item.replace(/<.*/, ''))
}

/** Whether the first question asks the same as the second, or more. Both are in upper case. */
export function mayAnswer(asked: string, wanted: string): boolean {
  if (asked === wanted) return true
  if (asked === 'UID SEARCH *' || asked === 'UID SEARCH ALL') return /^UID SEARCH \d+$/.test(wanted)
  if (isShared(asked)) return partsOf(wanted).length > 0 && asked.split(' ')[2] === wanted.split(' ')[2]
  const [, items] = /^(?:UID )?FETCH \d+:\*( .*)$/.exec(asked) ?? []
  return items !== undefined && /^UID FETCH [\d:,]+/.exec(wanted)?.[0] === wanted.slice(0, -items.length)
}

/**
 * Whether the answer to the question contains the complete answer to `wanted`.
 * @param mailbox its state when the question was executed
 */
export function hasWhole(
  asked: string,
  { count, uids }: { count: number; uids: readonly number[] },
  wanted: string,
): boolean {
  if (asked === wanted) return true
  const set = wanted.split(' ')[2]!
  if (asked === 'UID SEARCH *') return Number(set) === count
  // A removed message whose EXPUNGE was not sent has a sequence number, but is in no list.
  if (asked === 'UID SEARCH ALL') return Number(set) <= count && count === uids.length
  if (isShared(asked)) return partsOf(wanted).every((item) => partsOf(asked).includes(item))
  const from = asked.startsWith('UID') ? Number(/\d+/.exec(asked)![0]) : firstOf(asked, { count, uids })
  return uidsOf(set).every((uid) => uid >= from && uids.includes(uid))
}

/** The UID of the first message of a range of sequence numbers. Removed messages with a number may precede it. */
function firstOf(asked: string, { count, uids }: { count: number; uids: readonly number[] }): number {
  const number = Math.min(Number(/\d+/.exec(asked)![0]), count)
  return count === uids.length ? (uids[number - 1] ?? 0) : 0
}

/** The UIDs in a set without `*`. */
export const uidsOf = (set: string): number[] =>
  set.split(',').flatMap((part) => {
    const [first = 0, last = first] = part.split(':').map(Number)
    return Array.from({ length: last - first + 1 }, (_, index) => first + index)
  })
