/** The announcement of a literal at the end of a line: `{42}`, `{42+}`, `~{42}` (RFC 9051 4.3, RFC 7888). */
import { CLOSE_BRACE, CR, OPEN_BRACE, PLUS } from './bytes.ts'

/** The line announces no literal. */
export const NO_LITERAL = -1

/** Where a scanner stands within a command or a response; the state that another scanner can start from. */
export interface ScanPosition {
  /** Bytes of the present literal that are still to come. */
  literalLeft: number
  /** Whether the present literal, or the next line, continues a command or a response. */
  continues: boolean
}

/** Larger sizes count as infinite. No mail is larger, and the sum of two still counts exactly. */
const literalBytesMax = 2 ** 40

/**
 * Size of the literal that a line announces, Infinity if it is beyond all bounds, or NO_LITERAL.
 * @param lineFeed index of the line's LF
 */
export function literalSize(bytes: Uint8Array, lineStart: number, lineFeed: number): number {
  let at = lineFeed - 1
  if (at >= lineStart && bytes[at] === CR) at--
  if (at < lineStart + 2 || bytes[at] !== CLOSE_BRACE) return NO_LITERAL
  at--
  if (bytes[at] === PLUS) at--
  let size = 0
  let scale = 1
  let digits = 0
  for (; at >= lineStart; at--) {
    const digit = bytes[at]! - 48
    if (digit < 0 || digit > 9) break
    size += digit * scale
    scale *= 10
    digits++
    if (size > literalBytesMax || digits > 20) return Infinity
  }
  return digits > 0 && at >= lineStart && bytes[at] === OPEN_BRACE ? size : NO_LITERAL
}

/** Whether the literal that this line announces is sent without waiting for `+` (`{42+}`). */
export function isNonSynchronizing(bytes: Uint8Array, lineFeed: number): boolean {
  const brace = bytes[lineFeed - 1] === CR ? lineFeed - 2 : lineFeed - 1
  return bytes[brace - 1] === PLUS
}
