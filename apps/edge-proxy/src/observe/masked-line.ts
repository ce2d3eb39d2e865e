/**
 * Splits a line of IMAP into tokens, and prints it with some tokens replaced by their length: `"..." [12 bytes]`,
 * `(...) [345 bytes]`, `... [4 bytes]`, `{26} [26 bytes]`. The length does not include quotes or parentheses.
 */
import { BACKSLASH, OPEN_BRACE, QUOTE, SP, TILDE } from '../imap/bytes.ts'

const OPEN = 40
const CLOSE = 41

export type TokenKind =
  | 'spaces'
  | 'open'
  | 'close'
  /** A quoted string. */
  | 'string'
  /** A quoted string that is not closed in the line. */
  | 'open-string'
  /** Any other text, up to a space, a parenthesis or a quote. It may contain the brackets of a section. */
  | 'atom'
  /** The announcement of a literal at the end of the line. */
  | 'literal'

/** Iterates over the tokens of one line. */
export class LineTokens {
  kind: TokenKind = 'spaces'
  from: number
  to: number
  readonly bytes: Buffer
  readonly #end: number
  /** Where the announcement of a literal begins; `#end` if there is none. */
  readonly #literalAt: number

  /** @param announces whether the line announces a literal */
  constructor(bytes: Buffer, start: number, end: number, announces: boolean) {
    this.bytes = bytes
    this.from = this.to = start
    this.#end = end
    this.#literalAt = announces ? announcementIn(bytes, start, end) : end
  }

  /** Moves to the next token. False: there is none. */
  next(): boolean {
    this.from = this.to
    if (this.from >= this.#end) return false
    if (this.from === this.#literalAt) {
      this.kind = 'literal'
      this.to = this.#end
      return true
    }
    const first = this.bytes[this.from]!
    let at = this.from + 1
    if (first === OPEN || first === CLOSE) this.kind = first === OPEN ? 'open' : 'close'
    else if (first === QUOTE) at = this.#quoted(at)
    else {
      const isSpace = first === SP
      this.kind = isSpace ? 'spaces' : 'atom'
      while (at < this.#literalAt && (isSpace ? this.bytes[at] === SP : isInAtom(this.bytes[at]!))) at++
    }
    this.to = at
    return true
  }

  /** The token as text, for comparisons. */
  get text(): string {
    return this.bytes.toString('latin1', this.from, this.to)
  }

  #quoted(at: number): number {
    this.kind = 'string'
    for (; at < this.#literalAt; at++) {
      if (this.bytes[at] === QUOTE) return at + 1
      if (this.bytes[at] === BACKSLASH) at++
    }
    this.kind = 'open-string'
    return this.#literalAt
  }
}

/** Collects the text of one line. */
export class MaskedLine {
  readonly #bytes: Buffer
  #text = ''
  /** Begin and end of the bytes that are replaced next. */
  #maskFrom = -1
  #maskTo = -1
  /** The form of these bytes: one string, one list, or anything else. */
  #maskForm: 'string' | 'list' | 'any' = 'any'
  /** Number of open lists in these bytes. */
  #depth = 0
  #spacesFrom = -1
  #spacesTo = -1
  /** Whether a part of the line was replaced. */
  hasMasked = false

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  show(from: number, to: number): void {
    this.#endMask()
    this.#takeSpaces()
    this.#text += this.#bytes.toString('utf8', from, to)
  }

  /** Adjacent replaced tokens, with the spaces between them, share one replacement. */
  mask({ kind, from, to }: LineTokens): void {
    this.hasMasked = true
    if (this.#maskFrom < 0) {
      this.#takeSpaces()
      this.#maskFrom = from
      this.#maskForm = kind === 'string' ? 'string' : kind === 'open' ? 'list' : 'any'
      this.#depth = 0
    } else if (this.#maskForm === 'string' || this.#depth === 0) this.#maskForm = 'any'
    if (kind === 'open') this.#depth++
    if (kind === 'close') this.#depth--
    this.#spacesFrom = -1
    this.#maskTo = to
  }

  /** Spaces are printed only between shown tokens. */
  spaces(from: number, to: number): void {
    this.#spacesFrom = from
    this.#spacesTo = to
  }

  /** The announcement of a literal, and its length. */
  literal(from: number, to: number, size: number): void {
    this.hasMasked = true
    this.show(from, to)
    this.#text += ` [${size} bytes]`
  }

  end(): string {
    this.#endMask()
    this.#takeSpaces()
    return this.#text
  }

  #takeSpaces(): void {
    if (this.#spacesFrom < 0) return
    this.#text += this.#bytes.toString('latin1', this.#spacesFrom, this.#spacesTo)
    this.#spacesFrom = -1
  }

  #endMask(): void {
    if (this.#maskFrom < 0) return
    const length = this.#maskTo - this.#maskFrom
    if (this.#maskForm === 'string') this.#text += `"..." [${length - 2} bytes]`
    else if (this.#maskForm === 'list' && this.#depth === 0) this.#text += `(...) [${length - 2} bytes]`
    else this.#text += `... [${length} bytes]`
    this.#maskFrom = -1
  }
}

function announcementIn(bytes: Buffer, start: number, end: number): number {
  const brace = bytes.lastIndexOf(OPEN_BRACE, end - 1)
  if (brace < start) return end
  return brace > start && bytes[brace - 1] === TILDE ? brace - 1 : brace
}

function isInAtom(byte: number): boolean {
  return byte !== SP && byte !== OPEN && byte !== CLOSE && byte !== QUOTE
}

/** The words of a list that may span lines. */
export function wordList(text: string): string[] {
  return text.split(/\s+/)
}
