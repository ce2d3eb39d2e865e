/** The byte values and comparisons that the IMAP grammar needs. */

export const LF = 10
export const CR = 13
export const SP = 32
export const QUOTE = 34
export const CLOSE_PARENTHESIS = 41
export const PLUS = 43
export const STAR = 42
export const TILDE = 126
export const OPEN_BRACKET = 91
export const BACKSLASH = 92
export const OPEN_BRACE = 123
export const CLOSE_BRACE = 125

/** Within this many bytes, a loop is faster than the native search. Most lines are short. */
const nearBytes = 96

/** Index of `byte` from `from` on, or -1. */
export function findByte(bytes: Buffer, byte: number, from: number): number {
  const near = Math.min(bytes.length, from + nearBytes)
  for (let at = from; at < near; at++) if (bytes[at] === byte) return at
  return near === bytes.length ? -1 : bytes.indexOf(byte, near)
}

/** Whether the line from `start` to its line feed at `end` begins with this tag and a space. */
export function hasTag(bytes: Uint8Array, start: number, end: number, tag: string): boolean {
  const after = start + tag.length
  if (after > end || bytes[after] !== SP) return false
  for (let i = 0; i < tag.length; i++) if (bytes[start + i] !== tag.charCodeAt(i)) return false
  return true
}

/** Whether `word` (upper-case ASCII) is at `at`. Case is ignored. */
export function startsWithWord(bytes: Uint8Array, at: number, word: string): boolean {
  if (at + word.length > bytes.length) return false
  for (let i = 0; i < word.length; i++) {
    const byte = bytes[at + i]!
    const upper = byte >= 97 && byte <= 122 ? byte - 32 : byte
    if (upper !== word.charCodeAt(i)) return false
  }
  return true
}

/** Whether `word` (upper-case ASCII) is anywhere in the range. Case is ignored. */
export function containsWord(bytes: Uint8Array, from: number, to: number, word: string): boolean {
  for (let at = from; at + word.length <= to; at++) if (startsWithWord(bytes, at, word)) return true
  return false
}

/** Whether the range ends within a quoted string (RFC 9051 4.3). `isInside`: the range begins within one. */
export function endsInQuotes(bytes: Buffer, from: number, to: number, isInside = false): boolean {
  let inside = isInside
  let at = inside ? from : findByte(bytes, QUOTE, from)
  for (; at >= 0 && at < to; at++) {
    if (bytes[at] === QUOTE) inside = !inside
    else if (inside && bytes[at] === BACKSLASH) at++
  }
  return inside
}

/** The end of the word that begins at `at`: the next space or line end, or `to`. */
export function wordEnd(bytes: Uint8Array, at: number, to: number): number {
  while (at < to) {
    const byte = bytes[at]!
    if (byte === SP || byte === CR || byte === LF) break
    at++
  }
  return at
}
