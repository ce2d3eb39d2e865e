/** A stream of protocol as lines of text for a trace, with literals replaced by their length unless wanted. */
import { LF } from '../imap/bytes.ts'
import { literalSize, NO_LITERAL } from '../imap/literal.ts'

/** Characters of one line that are shown; what is behind them is still read. */
const shownMax = 4096
const heldMax = 65_536
/** Enough of a long line to find the literal that it announces. */
const tailBytes = 32
const freeText = /^(?:\+|(?:\*|[^ ]+) (?:OK|NO|BAD|BYE|PREAUTH)\b)/i

export class LiteralMask {
  readonly #bodies: boolean
  readonly #from: 'C' | 'S'
  #literal: number
  #continues: boolean
  #partial = Buffer.alloc(0)
  /** The line is longer than can be held; its begin has been shown. */
  #isLong = false
  #isFree = false

  /** @param literalLeft bytes of a literal in whose middle the trace begins */
  constructor(from: 'C' | 'S', bodies: boolean, literalLeft = 0) {
    this.#from = from
    this.#bodies = bodies
    this.#literal = literalLeft
    this.#continues = literalLeft > 0
  }

  /** The lines that these bytes complete. */
  lines(chunk: Buffer): string[] {
    const lines: string[] = []
    const bytes = this.#partial.length > 0 ? Buffer.concat([this.#partial, chunk]) : chunk
    let at = 0
    while (at < bytes.length) {
      if (this.#literal > 0) {
        const taken = Math.min(this.#literal, bytes.length - at)
        // One by one: as many arguments as a body may have lines are too many for a call.
        if (this.#bodies) for (const line of printBody(bytes.subarray(at, at + taken))) lines.push(line)
        this.#literal -= taken
        at += taken
        continue
      }
      const lineFeed = bytes.indexOf(LF, at)
      if (lineFeed < 0) {
        if (bytes.length - at > heldMax) {
          if (!this.#isLong) lines.push(`${this.#show(bytes, at, bytes.length)} [line goes on]`)
          this.#isLong = true
          at = bytes.length - tailBytes
        }
        break
      }
      lines.push(...this.#endLine(bytes, at, lineFeed))
      at = lineFeed + 1
    }
    this.#partial = Buffer.from(bytes.subarray(at))
    return lines
  }

  #endLine(bytes: Buffer, at: number, lineFeed: number): string[] {
    const text = this.#isLong ? '' : this.#show(bytes, at, lineFeed)
    const size = this.#isFree ? NO_LITERAL : literalSize(bytes, at, lineFeed)
    const shown = this.#isLong ? [] : [size === NO_LITERAL || this.#bodies ? text : `${text} [${size} bytes]`]
    this.#continues = size !== NO_LITERAL
    this.#literal = size === NO_LITERAL ? 0 : size
    this.#isLong = false
    return shown
  }

  #show(bytes: Buffer, at: number, end: number): string {
    const text = bytes.toString('utf8', at, Math.min(end, at + shownMax)).replace(/\r$/, '')
    // Free text of a server's status may end like a literal and is none.
    this.#isFree = this.#from === 'S' && !this.#continues && freeText.test(text)
    return text
  }
}

function printBody(bytes: Buffer): string[] {
  const lines = bytes.toString('utf8').split('\n')
  return lines.map((line) => line.replace(/\r$/, '').slice(0, shownMax))
}
