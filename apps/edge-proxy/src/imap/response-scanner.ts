/**
 * Reads a server's bytes as responses. It skips literals by their length, so that the content of a mail is never taken
 * for a reply. It is fed chunks, reports each response, and keeps its position and at most one partial line.
 *
 *   line ──LF──▶ line (next response)      announced literal ──▶ literal ──n bytes──▶ line (rest of the same response)
 */
import { CR, findByte, LF, PLUS, SP, STAR } from './bytes.ts'
import { literalSize, type ScanPosition } from './literal.ts'

export type ResponseKind = 'tagged' | 'untagged' | 'continuation'

/** What to do with a response: pass it, omit it, or pass these bytes instead. */
export type LineVerdict = 'pass' | 'omit' | Buffer

export interface ResponseSink {
  /**
   * The first line of a response, from `start` to its line feed at `end`. If the response has literals, more lines
   * follow, and the verdict applies to all of them. A response that is replaced must have no literals.
   */
  onResponse(kind: ResponseKind, bytes: Buffer, start: number, end: number): LineVerdict
  /** Bytes that pass. */
  onPass(bytes: Buffer): void
}

/** Gets every line and every literal of the responses, whatever their verdict: for the trace. */
export interface LineReader {
  /** A whole line, from `start` to its line feed at `end`, and the size of the literal that it announces, if any. */
  onLine(bytes: Buffer, start: number, end: number, literal: number | undefined): void
  /** The first bytes of a line that is too long to hold. The rest of it is not reported. */
  onLongLine(bytes: Buffer, start: number, end: number): void
  /** Part of a literal, or all of it. */
  onLiteral(bytes: Buffer, start: number, end: number): void
}

export class ResponseScanner {
  /** Replaced when another part of the edge takes over the connection, never within a chunk. */
  sink: ResponseSink
  readonly #lineBytesMax: number
  readonly #reader: LineReader | undefined
  /** Bytes of the literal still to come. */
  #literal = 0
  /** The next line continues a response after a literal. */
  #continues = false
  #omitting = false
  /** A partial line, held until its end arrives, because a verdict needs the whole line. */
  #held: Buffer | undefined
  /** A line that is too long to hold passes as it arrives. These are its last bytes, which may announce a literal. */
  #longTail: Buffer | undefined
  /** The current response is tagged, a continuation or a status: it ends in free text and has no literals. */
  #isFreeText = false

  constructor(
    sink: ResponseSink,
    options: { lineBytesMax?: number; reader?: LineReader; position?: ScanPosition } = {},
  ) {
    this.sink = sink
    this.#lineBytesMax = options.lineBytesMax ?? 65_536
    this.#reader = options.reader
    if (options.position) {
      this.#literal = options.position.literalLeft
      this.#continues = options.position.continues
    }
  }

  /** Whether the bytes so far end with a complete response. */
  get atBoundary(): boolean {
    return this.betweenResponses && this.#held === undefined
  }

  /** Whether bytes written to the client now would stand between two responses. A held line has not reached the client. */
  get betweenResponses(): boolean {
    return this.#literal === 0 && !this.#continues && this.#longTail === undefined
  }

  /** Position at the end of the bytes that have passed. An omitted response does not count. */
  get position(): ScanPosition {
    if (this.#omitting) return { literalLeft: 0, continues: false }
    return { literalLeft: this.#literal, continues: !this.betweenResponses }
  }

  scan(chunk: Buffer): void {
    const bytes = this.#held ? Buffer.concat([this.#held, chunk]) : chunk
    this.#held = undefined
    let at = 0
    /** Bytes from here to `at` pass, but the sink has not received them yet. */
    let passFrom = 0
    while (at < bytes.length) {
      if (this.#literal > 0) {
        const taken = Math.min(this.#literal, bytes.length - at)
        this.#reader?.onLiteral(bytes, at, at + taken)
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
        // A copy: the chunk may be large, and its memory is reused.
        this.#held = Buffer.from(bytes.subarray(at))
        return
      }
      const lineEnd = lineFeed < 0 ? bytes.length - 1 : lineFeed
      if (!this.#continues) {
        const verdict = this.#open(bytes, at, lineEnd)
        this.#omitting = verdict !== 'pass'
        if (this.#omitting) {
          if (passFrom < at) this.sink.onPass(bytes.subarray(passFrom, at))
          // The end of a line that is too long to hold is not known, so the line is omitted instead of replaced.
          if (typeof verdict !== 'string' && lineFeed >= 0) this.sink.onPass(verdict)
        }
      }
      if (lineFeed < 0) {
        this.#reader?.onLongLine(bytes, at, bytes.length)
        this.#longTail = Buffer.alloc(0)
        this.#longLine(bytes.subarray(at), false)
      } else {
        const literal = this.#close(bytes, at, lineFeed)
        this.#reader?.onLine(bytes, at, lineFeed, literal)
      }
      at = lineEnd + 1
      if (this.#omitting) passFrom = at
    }
    if (passFrom < at) this.sink.onPass(passFrom === 0 ? bytes : bytes.subarray(passFrom, at))
  }

  #open(bytes: Buffer, at: number, lineEnd: number): LineVerdict {
    const first = bytes[at]!
    if (first === STAR && bytes[at + 1] === SP) {
      this.#isFreeText = isStatus(bytes, at + 2)
      return this.sink.onResponse('untagged', bytes, at, lineEnd)
    }
    // The text of a tagged reply or a continuation may look like the announcement of a literal, but it never is one.
    this.#isFreeText = true
    return this.sink.onResponse(first === PLUS ? 'continuation' : 'tagged', bytes, at, lineEnd)
  }

  #close(bytes: Buffer, at: number, lineFeed: number): number | undefined {
    const size = this.#isFreeText ? undefined : literalSize(bytes, at, lineFeed)
    this.#continues = size !== undefined
    this.#literal = size ?? 0
    return size
  }

  #longLine(part: Buffer, ends: boolean): void {
    const tail = Buffer.concat([this.#longTail!, part.subarray(-32)]).subarray(-32)
    this.#longTail = ends ? undefined : tail
    if (ends) this.#close(tail, 0, tail.length - 1)
  }
}

/** OK, NO, BAD, BYE, PREAUTH: they end in free text (RFC 9051 7.1). */
function isStatus(bytes: Buffer, at: number): boolean {
  const first = bytes[at]! & 0xdf
  const second = bytes[at + 1]! & 0xdf
  // Two letters distinguish them from every other response of the grammar.
  if (first === 79) return second === 75
  if (first === 78) return second === 79 && (bytes[at + 2] === SP || bytes[at + 2] === CR)
  if (first === 66) return second === 65 || second === 89
  return first === 80 && second === 82
}
