/** Finds tag and verb of a command in its bytes, without creating a string. */
import { containsWord, SP, wordEnd } from './bytes.ts'

/** Verbs that the edge knows. All others are OTHER and pass. */
const known = [
  'APPEND',
  'AUTHENTICATE',
  'CAPABILITY',
  'CLOSE',
  'COMPARATOR',
  'COMPRESS',
  'ENABLE',
  'EXAMINE',
  'FETCH',
  'ID',
  'IDLE',
  'LANGUAGE',
  'LIST',
  'LOGIN',
  'LOGOUT',
  'NOOP',
  'NOTIFY',
  'PROXYAUTH',
  'SEARCH',
  'SELECT',
  'SORT',
  'STARTTLS',
  'STATUS',
  'STORE',
  'THREAD',
  'UID',
  'UNAUTHENTICATE',
  'UNSELECT',
  'XPROXY_DUMPICC',
  'XPROXY_NEWLOG',
  'XPROXY_RESETCOUNTERS',
  'XPROXY_TRACE',
  'XPROXY_VERSION',
] as const
export type Verb = (typeof known)[number] | 'OTHER'

const hashOf = (bytes: { [index: number]: number }, from: number, to: number): number => {
  let hash = to - from
  for (let i = from; i < to; i++) hash = (Math.imul(hash, 33) ^ (bytes[i]! & 0xdf)) | 0
  return hash
}

const byHash = new Map<number, Verb>(known.map((verb) => [hashOf(Buffer.from(verb), 0, verb.length), verb]))
const verbLengthMax = Math.max(...known.map((verb) => verb.length))

/** The verb in these bytes, in any case. */
export function verbIn(bytes: Uint8Array, from: number, to: number): Verb {
  if (to - from > verbLengthMax) return 'OTHER'
  const verb = byHash.get(hashOf(bytes, from, to))
  if (verb === undefined || verb.length !== to - from) return 'OTHER'
  // The hash ignores the case bit, so other characters may have the same hash.
  for (let i = 0; i < verb.length; i++) {
    const byte = bytes[from + i]!
    const upper = byte >= 97 && byte <= 122 ? byte - 32 : byte
    if (upper !== verb.charCodeAt(i)) return 'OTHER'
  }
  return verb
}

/** The verb of a command that begins with it, without a tag. */
export function verbOf(command: string): Verb {
  const word = Buffer.from(command.split(' ', 1)[0]!)
  return verbIn(word, 0, word.length)
}

/** Positions of the parts of a command's first line. */
export interface CommandHead {
  tagEnd: number
  verbStart: number
  verbEnd: number
  verb: Verb
}

/** The head of the command that begins at `from`. `to` is the index of its line feed. */
export function commandHead(bytes: Uint8Array, from: number, to: number): CommandHead {
  const tagEnd = wordEnd(bytes, from, to)
  let verbStart = tagEnd
  // More than one space is an error, but a lenient server may accept it.
  while (verbStart < to && bytes[verbStart] === SP) verbStart++
  const verbEnd = wordEnd(bytes, verbStart, to)
  return { tagEnd, verbStart, verbEnd, verb: verbIn(bytes, verbStart, verbEnd) }
}

/** Whether these bytes are a tag (RFC 9051 9: ASTRING-CHAR except `+`). A server may answer an invalid tag without a tag. */
export function isTag(bytes: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) {
    const byte = bytes[i]!
    // ( ) * + " % \\ { and all bytes that are not printable ASCII
    if (byte <= SP || byte >= 127) return false
    if (
      byte === 40 ||
      byte === 41 ||
      byte === 42 ||
      byte === 43 ||
      byte === 34 ||
      byte === 37 ||
      byte === 92 ||
      byte === 123
    )
      return false
  }
  return to > from
}

/** Whether these bytes are a command name: letters, digits, and `-`, `.` and `_`, which extensions use. */
export function isVerb(bytes: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) {
    const byte = bytes[i]!
    const isLetter = (byte & 0xdf) >= 65 && (byte & 0xdf) <= 90
    const isDigit = byte >= 48 && byte <= 57
    if (!isLetter && !isDigit && byte !== 45 && byte !== 46 && byte !== 95) return false
  }
  return to > from
}

/** Whether the command may select another mailbox, also if it fails. */
export const maySelect = (verb: Verb): boolean => verb === 'SELECT' || verb === 'EXAMINE'

/** Whether the command may be a search. */
export const maySearch = (verb: Verb): boolean =>
  verb === 'UID' || verb === 'SEARCH' || verb === 'SORT' || verb === 'THREAD'

/**
 * Whether the command may be a search with this RETURN option (RFC 4466 2.6.1). The words are searched for anywhere between the
 * indices, so there are false positives.
 */
export const mayReturn = (option: string, verb: Verb, bytes: Uint8Array, from: number, to: number): boolean =>
  maySearch(verb) && containsWord(bytes, from, to, 'RETURN') && containsWord(bytes, from, to, option)
