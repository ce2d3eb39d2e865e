/**
 * Turns the bytes of one direction of a session into lines of text for a trace. Literals, which contain message bodies, are
 * replaced by their length unless the trace includes them.
 */
import { CommandScanner } from '../imap/command-scanner.ts'
import type { ScanPosition } from '../imap/literal.ts'
import { ResponseScanner, type LineReader, type ResponseSink } from '../imap/response-scanner.ts'

/** Bytes of a line that are shown. The rest is still read. */
const shownMax = 4096
/** Bytes of a line that are held until its end arrives. */
const heldMax = 65_536
/** Last bytes of a long line that are kept, to find the literal that it announces. */
const tailBytes = 32

const ignore: ResponseSink = { onResponse: () => 'pass', onPass() {} }

export class LiteralMask implements LineReader {
  readonly #bodies: boolean
  readonly #scan: (chunk: Buffer, startsCommand: boolean) => void
  /** Partial line of a client; of a long one, only the last bytes. For a server, the response scanner holds it. */
  #partial = Buffer.alloc(0)
  /** The client's line is too long to hold, and its beginning has been shown. */
  #isLong = false
  #lines: string[] = []

  /** @param position where in a command or a response the trace begins */
  constructor(from: 'C' | 'S', bodies: boolean, position?: ScanPosition) {
    this.#bodies = bodies
    if (from === 'C') {
      const scanner = new CommandScanner(undefined, position)
      this.#scan = (chunk, startsCommand) => {
        // The server refused the announced literal, so the client did not send it.
        if (startsCommand) scanner.abandonCommand()
        this.#scanCommands(scanner, chunk)
      }
    } else {
      const options = { lineBytesMax: heldMax, reader: this, ...(position && { position }) }
      const scanner = new ResponseScanner(ignore, options)
      this.#scan = (chunk) => scanner.scan(chunk)
    }
  }

  /**
   * Returns the lines that these bytes complete.
   * @param startsCommand whether a client's bytes begin with a command, whatever came before them
   */
  lines(chunk: Buffer, startsCommand = false): string[] {
    this.#lines = []
    this.#scan(chunk, startsCommand)
    return this.#lines
  }

  #scanCommands(scanner: CommandScanner, chunk: Buffer): void {
    const bytes = this.#partial.length > 0 ? Buffer.concat([this.#partial, chunk]) : chunk
    let at = 0
    while (at < bytes.length) {
      const part = scanner.next(bytes, at, Infinity)
      if (part === 'partial-line') {
        if (bytes.length - at > heldMax) {
          if (!this.#isLong) this.onLongLine(bytes, at, bytes.length)
          this.#isLong = true
          at = bytes.length - tailBytes
        }
        break
      }
      if (part === 'literal') this.onLiteral(bytes, at, scanner.end)
      else {
        const literal = scanner.takeLine(bytes, at) === 'complete' ? undefined : scanner.position.literalLeft
        if (!this.#isLong) this.onLine(bytes, at, scanner.end - 1, literal)
        this.#isLong = false
      }
      at = scanner.end
    }
    this.#partial = Buffer.from(bytes.subarray(at))
  }

  onLine(bytes: Buffer, start: number, end: number, literal: number | undefined): void {
    const text = shown(bytes, start, end)
    this.#lines.push(literal === undefined || this.#bodies ? text : `${text} [${literal} bytes]`)
  }

  onLongLine(bytes: Buffer, start: number, end: number): void {
    this.#lines.push(`${shown(bytes, start, end)} [line continues]`)
  }

  onLiteral(bytes: Buffer, start: number, end: number): void {
    if (!this.#bodies) return
    for (const line of bytes.toString('utf8', start, end).split('\n'))
      this.#lines.push(line.replace(/\r$/, '').slice(0, shownMax))
  }
}

function shown(bytes: Buffer, start: number, end: number): string {
  return bytes.toString('utf8', start, Math.min(end, start + shownMax)).replace(/\r$/, '')
}
