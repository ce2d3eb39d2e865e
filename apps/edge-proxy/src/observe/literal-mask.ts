/** A stream of protocol as lines of text for a trace, with literals replaced by their length unless wanted. */
import { LF } from '../imap/bytes.ts'
import { literalSize, NO_LITERAL } from '../imap/literal.ts'

const textMax = 4096
const freeText = /^(?:\+|(?:\*|[^ ]+) (?:OK|NO|BAD|BYE|PREAUTH)\b)/i

export class LiteralMask {
  readonly #bodies: boolean
  readonly #from: 'C' | 'S'
  #literal = 0
  #continues = false
  #partial = Buffer.alloc(0)

  constructor(bodies: boolean, from: 'C' | 'S') {
    this.#bodies = bodies
    this.#from = from
  }

  /** The lines that these bytes complete. */
  lines(chunk: Buffer): string[] {
    const lines: string[] = []
    const bytes = this.#partial.length > 0 ? Buffer.concat([this.#partial, chunk]) : chunk
    let at = 0
    while (at < bytes.length) {
      if (this.#literal > 0) {
        const taken = Math.min(this.#literal, bytes.length - at)
        if (this.#bodies) lines.push(...printBody(bytes.subarray(at, at + taken)))
        this.#literal -= taken
        at += taken
        continue
      }
      const lineFeed = bytes.indexOf(LF, at)
      if (lineFeed < 0 && bytes.length - at < textMax) break
      const end = lineFeed < 0 ? bytes.length : lineFeed
      const text = bytes.toString('utf8', at, Math.min(end, at + textMax)).replace(/\r$/, '')
      // Free text of a server's status may end like a literal and is none.
      const isFree = this.#from === 'S' && !this.#continues && freeText.test(text)
      const size = lineFeed < 0 || isFree ? NO_LITERAL : literalSize(bytes, at, lineFeed)
      this.#continues = size !== NO_LITERAL
      this.#literal = size === NO_LITERAL ? 0 : size
      lines.push(size === NO_LITERAL || this.#bodies ? text : `${text} [${size} bytes]`)
      at = end + 1
    }
    this.#partial = at >= bytes.length ? Buffer.alloc(0) : Buffer.from(bytes.subarray(at))
    return lines
  }
}

function printBody(bytes: Buffer): string[] {
  return bytes
    .toString('utf8')
    .split('\n')
    .map((line) => line.replace(/\r$/, '').slice(0, textMax))
}
