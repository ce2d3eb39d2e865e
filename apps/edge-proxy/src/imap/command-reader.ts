/**
 * Finds where one whole command ends, literals included, in bytes that arrive in any pieces. Used before login, where
 * a command is answered here as a whole; after login the watch looks at lines as they pass.
 */
import { findByte, LF } from './bytes.ts'
import { isNonSynchronizing, literalSize, NO_LITERAL } from './literal.ts'

export type Progress =
  /** A whole command: the first `end` bytes. */
  | { kind: 'complete'; end: number }
  /** More bytes are needed. */
  | { kind: 'more' }
  /** The client waits for `+` before it sends its literal. */
  | { kind: 'continue' }
  | { kind: 'violation'; reason: 'line-too-long' | 'literal-too-long' }

export class CommandReader {
  readonly #lineBytesMax: number
  readonly #literalBytesMax: number
  /** Where the current line starts, past all literals so far. */
  #lineStart = 0
  /** How far the current line has been searched. */
  #searched = 0

  constructor(limits: { lineBytesMax: number; literalBytesMax: number }) {
    this.#lineBytesMax = limits.lineBytesMax
    this.#literalBytesMax = limits.literalBytesMax
  }

  /** `bytes` is everything since the command's begin: what was given before, and more. */
  advance(bytes: Buffer): Progress {
    for (;;) {
      if (this.#lineStart > bytes.length) return { kind: 'more' }
      const lineFeed = findByte(bytes, LF, Math.max(this.#searched, this.#lineStart))
      const lineLength = (lineFeed < 0 ? bytes.length : lineFeed) - this.#lineStart
      if (lineLength > this.#lineBytesMax) return { kind: 'violation', reason: 'line-too-long' }
      if (lineFeed < 0) {
        this.#searched = bytes.length
        return { kind: 'more' }
      }
      const size = literalSize(bytes, this.#lineStart, lineFeed)
      if (size === NO_LITERAL) {
        this.#lineStart = this.#searched = 0
        return { kind: 'complete', end: lineFeed + 1 }
      }
      if (size > this.#literalBytesMax) return { kind: 'violation', reason: 'literal-too-long' }
      this.#lineStart = this.#searched = lineFeed + 1 + size
      if (!isNonSynchronizing(bytes, lineFeed)) return { kind: 'continue' }
    }
  }
}
