/**
 * Splits a server's bytes into responses. Literals are skipped by their length, so that the content of a mail is never parsed
 * as a reply. The scanner gets chunks, reports each response, and keeps its position and at most one partial line. A line
 * whose beginning decides its verdict is not held: its bytes pass as they arrive.
 *
 *   line ──LF──▶ line (next response)      announced literal ──▶ literal ──n bytes──▶ line (rest of the same response)
 */
import { CR, findByte, LF, PLUS, SP, STAR } from './bytes.ts'
import { literalSize, tailOf, type ScanPosition } from './literal.ts'
import { untaggedAt } from './response-facts.ts'

export type ResponseKind = 'tagged' | 'untagged' | 'continuation'

/** What to do with a response. */
export type LineVerdict =
  | 'pass'
  | 'omit'
  /** Omit the response, and give its bytes to `onKept`. */
  | 'keep'
  /** Pass these bytes instead. */
  | Buffer
  /** Pass these bytes, and then the response. */
  | { before: Buffer }

/** What to do with the beginning of a line while the rest of the line has not arrived. */
export type HeadVerdict =
  /** Hold the line. */
  | 'hold'
  /** `onResponse` can decide by these bytes. */
  | 'judge'
  /** Pass the bytes, although they do not decide yet: the response will not be omitted. */
  | 'show'

export interface ResponseSink {
  /**
   * The first line of a response, from `start` to its line feed at `end`. If the response has literals, more lines
   * follow, and the verdict applies to all of them. A response that is replaced must have no literals. If `onHead` returned
   * 'judge', or if the line is too long to hold, only the beginning of the line is given.
   */
  onResponse(kind: ResponseKind, bytes: Buffer, start: number, end: number): LineVerdict
  /** The beginning of an untagged response, up to the end of the bytes. Without this function, lines are held. */
  onHead?(bytes: Buffer, start: number): HeadVerdict
  /** Bytes that pass. */
  onPass(bytes: Buffer): void
  /** Bytes of a response that is kept, in pieces. They are valid only during the call. */
  onKept?(bytes: Buffer): void
}

/** Gets every line and every literal of the responses, whatever their verdicts, for the trace. */
export interface LineReader {
  /** A complete line, from `start` to its line feed at `end`, and the size of the literal that it announces, if any. */
  onLine(bytes: Buffer, start: number, end: number, literal: number | undefined): void
  /** The first bytes of a line that is too long to hold. The rest of it is not reported. */
  onLongLine(bytes: Buffer, start: number, end: number): void
  /** A literal, or a part of it. */
  onLiteral(bytes: Buffer, start: number, end: number): void
}

export class ResponseScanner {
  /** Replaced when another part of the edge takes over the connection, never within a chunk. */
  sink: ResponseSink
  readonly #lineBytesMax: number
  readonly #reader: LineReader | undefined
  /** Remaining bytes of the literal. */
  #literal = 0
  /** The next line continues a response after a literal. */
  #continues = false
  #omitting = false
  /** The omitted response is kept. */
  #keeping = false
  /** A partial line, held until its end arrives, because the verdict needs the complete line. */
  #held: Buffer | undefined
  /** How many bytes of the held line have already passed. */
  #shown = 0
  /** The last bytes of a line that passes, or is omitted, as it arrives. They may announce a literal. */
  #tail: Buffer | undefined
  /** The current response is tagged, a continuation or a status response, which end with free text and have no literals. */
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
      this.#tail = options.position.lineTail
      this.#isFreeText = options.position.isFreeText === true
    }
  }

  /** Whether the bytes so far end with a complete response. */
  get atBoundary(): boolean {
    return !this.#isWithinResponse && this.#held === undefined
  }

  /**
   * Whether bytes written to the client now would be between two responses. A held line has not reached the client, and an
   * omitted response never will.
   */
  get betweenResponses(): boolean {
    return this.#shown === 0 && (this.#omitting || !this.#isWithinResponse)
  }

  get #isWithinResponse(): boolean {
    return this.#literal > 0 || this.#continues || this.#tail !== undefined
  }

  /** Position at the end of the bytes that have passed. An omitted response does not count. */
  get position(): ScanPosition {
    if (this.betweenResponses) return { literalLeft: 0, continues: false }
    const position = { literalLeft: this.#literal, continues: true }
    return this.#tail === undefined
      ? position
      : { ...position, lineTail: this.#tail, isFreeText: this.#isFreeText }
  }

  scan(chunk: Buffer): void {
    const bytes = this.#held ? Buffer.concat([this.#held, chunk]) : chunk
    this.#held = undefined
    let at = 0
    /** Bytes from here to `at` pass, but the sink has not received them yet. */
    let passFrom = this.#shown
    const shown = this.#shown
    this.#shown = 0
    while (at < bytes.length) {
      if (this.#literal > 0) {
        const taken = Math.min(this.#literal, bytes.length - at)
        this.#reader?.onLiteral(bytes, at, at + taken)
        this.#literal -= taken
        at += taken
        if (this.#omitting) passFrom = this.#omit(bytes, at - taken, at)
        continue
      }
      const lineFeed = findByte(bytes, LF, at)
      if (this.#tail !== undefined) {
        const to = lineFeed < 0 ? bytes.length : lineFeed + 1
        this.#endlessLine(bytes.subarray(at, to), lineFeed >= 0)
        if (this.#omitting) passFrom = this.#omit(bytes, at, to)
        at = to
        continue
      }
      if (lineFeed < 0) {
        const verdict = this.#headVerdict(bytes, at)
        if (verdict !== 'judge') {
          if (verdict === 'show') this.#show(bytes, at, passFrom)
          else this.#hold(bytes, at, passFrom, at === 0 ? shown : 0)
          return
        }
      }
      const lineEnd = lineFeed < 0 ? bytes.length - 1 : lineFeed
      if (!this.#continues) {
        const verdict = this.#open(bytes, at, lineEnd)
        // The client has got the beginning of the line, so it also gets the rest.
        const hasBegun = shown > 0 && at === 0
        const replacement = verdict instanceof Uint8Array ? verdict : undefined
        const before = typeof verdict === 'object' && 'before' in verdict ? verdict.before : undefined
        this.#omitting =
          replacement !== undefined || (typeof verdict === 'string' && verdict !== 'pass' && !hasBegun)
        this.#keeping = this.#omitting && verdict === 'keep'
        if (this.#omitting || before) {
          if (passFrom < at) this.sink.onPass(bytes.subarray(passFrom, at))
          passFrom = Math.max(passFrom, at)
          if (before) this.sink.onPass(before)
          // A line that is too long to hold cannot be replaced, so it is omitted.
          if (replacement && lineFeed >= 0)
            this.sink.onPass(hasBegun ? replacement.subarray(shown) : replacement)
        }
      }
      if (lineFeed < 0) {
        this.#reader?.onLongLine(bytes, at, bytes.length)
        this.#endlessLine(bytes.subarray(at), false)
      } else {
        const literal = this.#close(bytes, at, lineFeed)
        this.#reader?.onLine(bytes, at, lineFeed, literal)
      }
      if (this.#omitting) passFrom = this.#omit(bytes, at, lineEnd + 1)
      at = lineEnd + 1
    }
    if (passFrom < at) this.sink.onPass(passFrom === 0 ? bytes : bytes.subarray(passFrom, at))
  }

  /** Bytes of the omitted response have been read. Returns where the next bytes begin. */
  #omit(bytes: Buffer, from: number, to: number): number {
    if (this.#keeping) this.sink.onKept?.(bytes.subarray(from, to))
    return to
  }

  /** Passes the rest of the response that is being kept. The caller has already passed the kept part. */
  passRest(): void {
    if (!this.#keeping) return
    this.#omitting = false
    this.#keeping = false
  }

  #open(bytes: Buffer, at: number, lineEnd: number): LineVerdict {
    const first = bytes[at]!
    if (first === STAR && bytes[at + 1] === SP) {
      this.#isFreeText = isStatus(bytes, untaggedAt(bytes, at))
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

  /** What to do with the partial line from `at` to the end of the bytes. */
  #headVerdict(bytes: Buffer, at: number): HeadVerdict {
    if (bytes.length - at > this.#lineBytesMax) return 'judge'
    if (this.sink.onHead === undefined) return 'hold'
    if (this.#continues) return 'judge'
    return bytes[at] === STAR && bytes[at + 1] === SP ? this.sink.onHead(bytes, at) : 'hold'
  }

  /**
   * Holds the partial line from `at` to the end of the bytes. The bytes are copied, because the memory of the chunk is reused.
   * @param shown how many bytes of the line have passed
   */
  #hold(bytes: Buffer, at: number, passFrom: number, shown: number): void {
    if (passFrom < at) this.sink.onPass(bytes.subarray(passFrom, at))
    this.#held = Buffer.from(bytes.subarray(at))
    this.#shown = shown
  }

  /** Passes `* ` and the blanks after it. One blank is kept, which is enough to parse the line when it continues. */
  #show(bytes: Buffer, at: number, passFrom: number): void {
    if (passFrom < bytes.length) this.sink.onPass(bytes.subarray(passFrom))
    this.#held = Buffer.from(bytes.subarray(at, at + 2))
    this.#shown = 2
  }

  #endlessLine(part: Buffer, ends: boolean): void {
    const tail = tailOf(this.#tail, part)
    this.#tail = ends ? undefined : tail
    if (ends) this.#close(tail, 0, tail.length - 1)
  }
}

/** Whether it is OK, NO, BAD, BYE or PREAUTH, which end with free text (RFC 9051 7.1). */
function isStatus(bytes: Buffer, at: number): boolean {
  const first = bytes[at]! & 0xdf
  const second = bytes[at + 1]! & 0xdf
  // Two letters distinguish them from every other response of the grammar.
  if (first === 79) return second === 75
  if (first === 78) return second === 79 && (bytes[at + 2] === SP || bytes[at + 2] === CR)
  if (first === 66) return second === 65 || second === 89
  return first === 80 && second === 82
}
