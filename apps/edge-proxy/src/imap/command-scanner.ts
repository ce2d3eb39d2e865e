/**
 * Splits a client's bytes into lines and literals, so that the content of a literal is never parsed as a command. Its only
 * state is the position. The caller keeps the bytes: client/ until a command is complete, splice/ until a line may pass.
 *
 *   line ──LF──▶ line (next command)      announced literal ──▶ literal ──n bytes──▶ line (rest of the same command)
 */
import { findByte, LF } from './bytes.ts'
import { isNonSynchronizing, literalSize, tailOf, type ScanPosition } from './literal.ts'

/** The kind of the bytes at a position. */
export type CommandPart =
  /** A complete line. Only `takeLine` moves past it, so `next` may find the same line again. */
  | 'line'
  /** A literal or a part of it. The scanner has moved past it. */
  | 'literal'
  /** A line without its end. Call `next` again with more bytes. */
  | 'partial-line'
  /** A line, complete or not, that is longer than the limit. */
  | 'line-too-long'

/** What follows a line. */
export type LineEnding =
  /** The command is complete. */
  | 'complete'
  /** The client sends the literal immediately (RFC 7888). */
  | 'literal'
  /** The client sends the literal after the server's `+`. */
  | 'synchronizing-literal'
  | 'literal-too-long'

export class CommandScanner {
  readonly #literalBytesMax: number
  /** Remaining bytes of the literal. */
  #literal = 0
  /** The next line continues a command after a literal, or is the rest of a line. */
  #continues = false
  /** The last bytes of a line of which a part has been taken. */
  #tail: Buffer | undefined
  #end = 0

  constructor(literalBytesMax = Number.MAX_SAFE_INTEGER, position?: ScanPosition) {
    this.#literalBytesMax = literalBytesMax
    if (position) {
      this.#literal = position.literalLeft
      this.#continues = position.continues
      this.#tail = position.lineTail
    }
  }

  /** Whether the next line begins a command. */
  get betweenCommands(): boolean {
    return !this.#continues
  }

  /** Whether a part of a line has been taken, and the next bytes are the rest of it. */
  get isWithinLine(): boolean {
    return this.#tail !== undefined
  }

  get position(): ScanPosition {
    const position = { literalLeft: this.#literal, continues: this.#continues }
    return this.#tail === undefined ? position : { ...position, lineTail: this.#tail }
  }

  /** End of the part that `next` found: the index after its last byte. */
  get end(): number {
    return this.#end
  }

  /** Finds the part that begins at `at`, which must be before the end of the bytes. */
  next(bytes: Buffer, at: number, lineBytesMax: number): CommandPart {
    if (this.#literal > 0) {
      const taken = Math.min(this.#literal, bytes.length - at)
      this.#literal -= taken
      this.#end = at + taken
      return 'literal'
    }
    const lineFeed = findByte(bytes, LF, at)
    if ((lineFeed < 0 ? bytes.length : lineFeed) - at > lineBytesMax) return 'line-too-long'
    if (lineFeed < 0) return 'partial-line'
    this.#end = lineFeed + 1
    return 'line'
  }

  /** Moves past the beginning of a line whose end has not arrived, up to the end of the bytes. */
  takePart(bytes: Buffer, start: number): void {
    this.#tail = tailOf(this.#tail, bytes.subarray(start))
    this.#continues = true
  }

  /** Moves past the line, or the rest of a line, that `next` found last and that begins at `start`. */
  takeLine(bytes: Buffer, start: number): LineEnding {
    if (this.#tail === undefined) return this.#takeEnd(bytes, start, this.#end - 1)
    const tail = tailOf(this.#tail, bytes.subarray(start, this.#end))
    this.#tail = undefined
    return this.#takeEnd(tail, 0, tail.length - 1)
  }

  #takeEnd(bytes: Buffer, start: number, lineFeed: number): LineEnding {
    const size = literalSize(bytes, start, lineFeed)
    if (size === undefined) {
      this.#continues = false
      return 'complete'
    }
    this.#continues = true
    this.#literal = size
    if (size > this.#literalBytesMax) return 'literal-too-long'
    return isNonSynchronizing(bytes, lineFeed) ? 'literal' : 'synchronizing-literal'
  }

  /** The server refused the announced literal before it was sent, so the next line begins a command (RFC 9051 4.3). */
  abandonCommand(): void {
    this.#literal = 0
    this.#continues = false
    this.#tail = undefined
  }
}
