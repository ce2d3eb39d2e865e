/**
 * Reads a server's bytes exactly, literals skipped by their length, so that no content of a mail can pass for a
 * reply. It is fed chunks and reports whole lines; it keeps nothing but where it stands.
 *
 *   line ──LF──▶ line          announced literal ──▶ literal ──n bytes──▶ line (the rest of the same response)
 */
import { CR, findByte, LF, PLUS, SP, STAR } from './bytes.ts'
import { literalSize, NO_LITERAL } from './literal.ts'

export type ResponseKind = 'tagged' | 'untagged' | 'continuation'

/** What to do with a response line: let it pass, leave it out, or put these bytes in its place. */
export type LineVerdict = 'pass' | 'omit' | Buffer

export interface ResponseSink {
  /**
   * The first line of a response, from `start` to its line feed at `end`. A response with literals goes on after it;
   * the verdict holds for all of it, except that a replaced line must have none.
   */
  onResponse(kind: ResponseKind, bytes: Buffer, start: number, end: number): LineVerdict
  /** Bytes that pass. */
  onPass(bytes: Buffer): void
}

export class ResponseScanner {
  /** Who listens now; changes between the phases of a connection's life, never within a chunk. */
  sink: ResponseSink
  readonly #lineBytesMax: number
  /** Bytes of a literal still to come. */
  #literal = 0
  /** The next line continues a response after a literal. */
  #continues = false
  #omitting = false
  /** A line that has begun and whose end has not come; held back, because nobody can use half a line. */
  #held: Buffer | undefined
  /** A line too long to hold is passed as it comes; these are its last bytes, in which a literal may be announced. */
  #longTail: Buffer | undefined
  #status = false

  constructor(sink: ResponseSink, lineBytesMax = 65_536) {
    this.sink = sink
    this.#lineBytesMax = lineBytesMax
  }

  /** Bytes of the present literal that have not passed. */
  get literalLeft(): number {
    return this.#literal
  }

  /** Whether the last byte given was the last of a response. */
  get atBoundary(): boolean {
    return this.#literal === 0 && !this.#continues && this.#held === undefined && this.#longTail === undefined
  }

  /** Whether bytes written to the client now would stand between two responses; a held line has not reached it. */
  get betweenResponses(): boolean {
    return this.#literal === 0 && !this.#continues && this.#longTail === undefined
  }

  scan(chunk: Buffer): void {
    const bytes = this.#held ? Buffer.concat([this.#held, chunk]) : chunk
    this.#held = undefined
    let at = 0
    /** Bytes from here to `at` pass and are not yet given to the sink. */
    let passFrom = 0
    while (at < bytes.length) {
      if (this.#literal > 0) {
        const taken = Math.min(this.#literal, bytes.length - at)
        this.#literal -= taken
        at += taken
        if (this.#omitting) passFrom = at
        continue
      }
      const lineFeed = findByte(bytes, LF, at)
      if (this.#longTail !== undefined) {
        const to = lineFeed < 0 ? bytes.length : lineFeed + 1
        this.#longLine(bytes.subarray(at, to), lineFeed >= 0)
        at = to
        if (this.#omitting) passFrom = at
        continue
      }
      if (lineFeed < 0 && bytes.length - at <= this.#lineBytesMax) {
        if (passFrom < at) this.sink.onPass(bytes.subarray(passFrom, at))
        // A copy: the chunk may be large and is not ours to keep.
        this.#held = Buffer.from(bytes.subarray(at))
        return
      }
      const lineEnd = lineFeed < 0 ? bytes.length - 1 : lineFeed
      if (!this.#continues) {
        const verdict = this.#open(bytes, at, lineEnd)
        this.#omitting = verdict !== 'pass'
        if (this.#omitting) {
          if (passFrom < at) this.sink.onPass(bytes.subarray(passFrom, at))
          // A line too long to hold has no end here that could be put back: it is left out.
          if (typeof verdict !== 'string' && lineFeed >= 0) this.sink.onPass(verdict)
        }
      }
      if (lineFeed < 0) {
        this.#longTail = Buffer.alloc(0)
        this.#longLine(bytes.subarray(at), false)
      } else this.#close(bytes, at, lineFeed)
      at = lineEnd + 1
      if (this.#omitting) passFrom = at
    }
    if (passFrom < at) this.sink.onPass(passFrom === 0 ? bytes : bytes.subarray(passFrom, at))
  }

  #open(bytes: Buffer, at: number, lineEnd: number): LineVerdict {
    const first = bytes[at]!
    if (first === STAR && bytes[at + 1] === SP) {
      this.#status = isStatus(bytes, at + 2)
      return this.sink.onResponse('untagged', bytes, at, lineEnd)
    }
    // Tagged replies and continuations end in free text, which may look like a literal and never is one.
    this.#status = true
    return this.sink.onResponse(first === PLUS ? 'continuation' : 'tagged', bytes, at, lineEnd)
  }

  #close(bytes: Buffer, at: number, lineFeed: number): void {
    const size = this.#status ? NO_LITERAL : literalSize(bytes, at, lineFeed)
    this.#continues = size !== NO_LITERAL
    this.#literal = size === NO_LITERAL ? 0 : size
  }

  #longLine(part: Buffer, ends: boolean): void {
    const tail = Buffer.concat([this.#longTail!, part.subarray(-32)]).subarray(-32)
    this.#longTail = ends ? undefined : tail
    if (ends) this.#close(tail, 0, tail.length - 1)
  }
}

/** OK, NO, BAD, BYE, PREAUTH: their text is free (RFC 9051 7.1). */
function isStatus(bytes: Buffer, at: number): boolean {
  const first = bytes[at]! & 0xdf
  const second = bytes[at + 1]! & 0xdf
  // Two letters tell them from every other response of the grammar.
  if (first === 79) return second === 75
  if (first === 78) return second === 79 && (bytes[at + 2] === SP || bytes[at + 2] === CR)
  if (first === 66) return second === 65 || second === 89
  return first === 80 && second === 82
}
