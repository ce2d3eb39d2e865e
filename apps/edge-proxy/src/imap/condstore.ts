/**
 * Recognizes commands that enable CONDSTORE for the rest of a connection (RFC 7162 3.1, "CONDSTORE enabling commands"). After
 * such a command, the server adds MODSEQ to unsolicited FETCH responses.
 */
import { BACKSLASH, QUOTE, startsWithWord } from './bytes.ts'

export type CondstoreUse =
  | 'none'
  /** The command has a word of CONDSTORE where this grammar does not expect it. A server may parse the command differently. */
  | 'possible'
  /** The command enables CONDSTORE. */
  | 'certain'

/** Classifies one line of a command, from `from` to its line feed at `to`. A line after a literal is never `certain`. */
export function condstoreUse(bytes: Buffer, from: number, to: number): CondstoreUse {
  return hasCondstoreWord(bytes, from, to) ? judge(bytes, from, to) : 'none'
}

/** Whether the bytes contain a word of CONDSTORE, also as part of a longer word such as UNCHANGEDSINCE or HIGHESTMODSEQ. */
export function hasCondstoreWord(bytes: Buffer, from: number, to: number): boolean {
  for (let at = from; at < to; at++) {
    switch (bytes[at]! & 0xdf) {
      case 67: // C
        if (startsWithWord(bytes, at, 'CONDSTORE') || startsWithWord(bytes, at, 'CHANGEDSINCE')) return true
        break
      case 77: // M
        if (startsWithWord(bytes, at, 'MODSEQ')) return true
        break
      case 81: // Q
        if (startsWithWord(bytes, at, 'QRESYNC')) return true
        break
    }
  }
  return false
}

/** Longer lines are only checked for the end of a FETCH with many UIDs, to limit the time of the expressions. */
const judgedBytesMax = 1000
const fetchHead = /^\S+ (?:UID )?FETCH \d/i
const changedSinceTail = /\(CHANGEDSINCE \d+(?: VANISHED)?\)\r?$/i

/** Commands that enable CONDSTORE, after the contents of quoted strings were removed. */
const enabling = [
  /^\S+ (?:SELECT|EXAMINE) [^ ()]+ \([^()]*\bCONDSTORE\b[^()]*\)$/i,
  /^\S+ STATUS [^ ()]+ \([^()]*\bHIGHESTMODSEQ\b[^()]*\)$/i,
  // LIST-STATUS (RFC 5819).
  /^\S+ LIST .*\bRETURN \(.*\bSTATUS \([^()]*\bHIGHESTMODSEQ\b[^()]*\).*\)$/i,
  /^\S+ (?:UID )?FETCH [^ ()]+ .*\(CHANGEDSINCE \d+(?: VANISHED)?\)$/i,
  /^\S+ (?:UID )?FETCH [^ ()]+ (?:MODSEQ|\((?:[^[]* )?MODSEQ(?: .*)?\))$/i,
  /^\S+ (?:UID )?STORE [^ ()]+ \(UNCHANGEDSINCE \d+\) /i,
  /^\S+ (?:UID )?SEARCH (?:RETURN \([^()]*\) )?(?:CHARSET \S+ )?MODSEQ (?:"" \S+ )?\d/i,
]

function judge(bytes: Buffer, from: number, to: number): CondstoreUse {
  if (to - from > judgedBytesMax) {
    const [head, tail] = [bytes.toString('latin1', from, from + 100), bytes.toString('latin1', to - 100, to)]
    return fetchHead.test(head) && changedSinceTail.test(tail) ? 'certain' : 'possible'
  }
  // Servers parse escapes and unbalanced quotes differently.
  const quotes = count(bytes, QUOTE, from, to)
  const isPlain = quotes % 2 === 0 && (quotes === 0 || count(bytes, BACKSLASH, from, to) === 0)
  const line = bytes.toString('latin1', from, to).replace(/\r$/, '')
  if (!isPlain) return 'possible'
  const unquoted = line.replace(/"[^"]*"/g, '""')
  if (enabling.some((form) => form.test(unquoted))) return 'certain'
  return /[ (](?:CONDSTORE|(?:UN)?CHANGEDSINCE|(?:HIGHEST)?MODSEQ|QRESYNC)(?=[ ()]|$)/i.test(unquoted)
    ? 'possible'
    : 'none'
}

function count(bytes: Buffer, byte: number, from: number, to: number): number {
  let found = 0
  for (let at = from; at < to; at++) if (bytes[at] === byte) found++
  return found
}
