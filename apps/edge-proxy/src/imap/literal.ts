/** The announcement of a literal at the end of a line: `{42}`, `{42+}`, `~{42}` (RFC 9051 4.3, RFC 7888). */
import { CLOSE_BRACE, CR, OPEN_BRACE, PLUS } from './bytes.ts'

/** The position of a scanner within a command or a response. Another scanner can start from it. */
export interface ScanPosition {
  /** Remaining bytes of the current literal. */
  literalLeft: number
  /** Whether the current literal, or the next line, continues a command or a response. */
  continues: boolean
  /** The last bytes of a line of which only a part has passed. They may begin the announcement of a literal. */
  lineTail?: Buffer
  /** The line ends with free text, which announces no literal. */
  isFreeText?: boolean
}

/** The announcement of a literal is within this many last bytes of a line. */
export const tailBytes = 32

/** The last bytes of a line, after another part of it was read. They are copied, so that the memory of the part can be released. */
export function tailOf(tail: Buffer | undefined, part: Buffer): Buffer {
  const end = part.subarray(-tailBytes)
  return tail === undefined || end.length === tailBytes
    ? Buffer.from(end)
    : Buffer.concat([tail, end]).subarray(-tailBytes)
}

/** Sizes above this are treated as infinite. */
const literalBytesMax = 2 ** 40

/**
 * Size in bytes of the literal that a line announces. Undefined: it announces none.
 * @param lineFeed index of the line's LF
 */
export function literalSize(bytes: Uint8Array, lineStart: number, lineFeed: number): number | undefined {
  let at = lineFeed - 1
  if (at >= lineStart && bytes[at] === CR) at--
  if (at < lineStart + 2 || bytes[at] !== CLOSE_BRACE) return undefined
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
  return digits > 0 && at >= lineStart && bytes[at] === OPEN_BRACE ? size : undefined
}

/** Whether the literal that this line announces is sent without waiting for `+` (`{42+}`). */
export function isNonSynchronizing(bytes: Uint8Array, lineFeed: number): boolean {
  const brace = bytes[lineFeed - 1] === CR ? lineFeed - 2 : lineFeed - 1
  return bytes[brace - 1] === PLUS
}
