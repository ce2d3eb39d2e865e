/**
 * What the server said to the last SELECT, kept with the connection on which that mailbox stays selected. It is answered
 * again only while nothing can have changed: whatever changes a mailbox, from either side, forgets it.
 */
import { containsWord, startsWithWord } from './bytes.ts'
import type { Verb } from './verb.ts'

export interface Selection {
  /** Verb and mailbox as the client wrote them. */
  key: string
  /** Untagged lines, line ends included. */
  lines: string
  /** What follows the tag, without line end. */
  ok: string
  at: number
}

/** A SELECT under way whose answer is being written down. */
export interface Recording {
  key: string
  lines: string[]
  bytes: number
}

const recordedBytesMax = 32_768

/**
 * `SELECT INBOX` → its key; undefined for what cannot be answered from memory: parameters (RFC 4466), literals.
 * @param line from the verb to the line feed
 */
export function selectionKey(
  verb: Verb,
  bytes: Buffer,
  verbEnd: number,
  lineFeed: number,
): string | undefined {
  if (verb !== 'SELECT' && verb !== 'EXAMINE') return undefined
  const mailbox = bytes.toString('latin1', verbEnd, lineFeed).trim()
  return /^(?:"(?:[^"\\]|\\.)*"|[^\s"(){%*]+)$/.test(mailbox) ? `${verb} ${mailbox}` : undefined
}

/** Writes a line down; false: there is too much of it, and the recording is worth nothing. */
export function record(recording: Recording, line: string): boolean {
  recording.bytes += line.length
  if (recording.bytes > recordedBytesMax || /\{\d+\}\r?\n$/.test(line)) return false
  // A SELECT again finds no message recent that the first one has taken for itself (RFC 3501 2.3.2).
  recording.lines.push(line.replace(/^\* \d+ RECENT/i, '* 0 RECENT'))
  return true
}

/** Commands that leave the mailbox as it was. */
const harmless: ReadonlySet<Verb> = new Set<Verb>([
  'NOOP',
  'SEARCH',
  'SORT',
  'THREAD',
  'STATUS',
  'LIST',
  'CAPABILITY',
  'ID',
  'IDLE',
])

/** Whether a command may change what a later SELECT would say. */
export function mayChangeMailbox(verb: Verb, bytes: Buffer, from: number, to: number): boolean {
  if (harmless.has(verb)) return false
  const isFetch = verb === 'FETCH' || (verb === 'UID' && containsWord(bytes, from, to, 'UID FETCH'))
  const isSearch =
    verb === 'UID' &&
    !isFetch &&
    /^\S+ +UID +(SEARCH|SORT|THREAD) /i.test(bytes.toString('latin1', from, Math.min(to, from + 200)))
  if (isSearch) return false
  // FETCH without PEEK sets \Seen (RFC 9051 6.4.5).
  return (
    !isFetch ||
    containsWord(bytes, from, to, 'BODY[') ||
    containsWord(bytes, from, to, 'RFC822') ||
    containsWord(bytes, from, to, 'BINARY[')
  )
}

/**
 * Whether an untagged response, from behind its `* `, tells of a change in the selected mailbox. A FETCH does so where
 * nobody has asked for one.
 */
export function tellsChange(bytes: Buffer, at: number, isFetchAsked: boolean): boolean {
  let word = at
  while (bytes[word]! >= 48 && bytes[word]! <= 57) word++
  if (word > at) {
    return (
      startsWithWord(bytes, word, ' EXISTS') ||
      startsWithWord(bytes, word, ' EXPUNGE') ||
      startsWithWord(bytes, word, ' RECENT') ||
      (!isFetchAsked && startsWithWord(bytes, word, ' FETCH'))
    )
  }
  return (
    startsWithWord(bytes, at, 'VANISHED') ||
    startsWithWord(bytes, at, 'FLAGS') ||
    startsWithWord(bytes, at, 'OK [')
  )
}
