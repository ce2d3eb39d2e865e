/**
 * Converts the bytes of one direction of a session to lines of text for a trace. Unless the trace includes bodies, literals and all
 * other mail in the lines are replaced by their length (command-mask.ts, response-mask.ts). An unknown command is always hidden
 * completely, because a client that is out of step with the server may send its password as a command.
 */
import { CommandScanner } from '../imap/command-scanner.ts'
import { tailBytes, type ScanPosition } from '../imap/literal.ts'
import { CR } from '../imap/bytes.ts'
import { ResponseScanner, type LineReader, type ResponseSink } from '../imap/response-scanner.ts'
import { AskedCommands } from './asked-commands.ts'
import { CommandMask, isKnownCommand } from './command-mask.ts'
import { ResponseMask } from './response-mask.ts'

/** Limit on the shown bytes of a line. The rest is parsed, but not shown. */
const shownMax = 4096
/** Limit on the bytes of a line that are held until its end arrives. */
const heldMax = 65_536

const ignore: ResponseSink = { onResponse: () => 'pass', onPass() {} }

export class TraceMask implements LineReader {
  /** Undefined: everything is shown, except unknown commands. */
  readonly #mask: CommandMask | ResponseMask | undefined
  /** The mask of unknown commands, if the other commands are shown. */
  readonly #unknownMask: CommandMask | undefined
  #isUnknown = false
  /** The next line continues a command or response after a literal. */
  #continues: boolean
  readonly #scan: (chunk: Buffer, startsCommand: boolean) => void
  /** The partial line of a client, or the last bytes of a long one. The partial line of a server is in the response scanner. */
  #partial = Buffer.alloc(0)
  /** The client's line is too long to hold, and its beginning has been shown. */
  #isLong = false
  #lines: string[] = []

  /**
   * @param asked the commands of the session, shared by both directions. Undefined: the trace includes bodies
   * @param position the position within a command or a response where the trace begins
   */
  constructor(from: 'C' | 'S', asked: AskedCommands | undefined, position?: ScanPosition) {
    const continues = position?.continues ?? false
    this.#continues = continues
    if (asked) this.#mask = new (from === 'C' ? CommandMask : ResponseMask)(asked, continues)
    else if (from === 'C') this.#unknownMask = new CommandMask(new AskedCommands(false), continues)
    if (from === 'C') {
      const scanner = new CommandScanner(undefined, position)
      this.#scan = (chunk, startsCommand) => {
        // The server refused the announced literal, so the client did not send it.
        if (startsCommand) {
          scanner.abandonCommand()
          this.#continues = false
        }
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

  /** The mask for this line. Undefined: the line is shown. */
  #maskOf(bytes: Buffer, start: number, end: number): CommandMask | ResponseMask | undefined {
    if (this.#unknownMask === undefined) return this.#mask
    if (!this.#continues) this.#isUnknown = !isKnownCommand(bytes, start, end)
    return this.#isUnknown ? this.#unknownMask : undefined
  }

  onLine(bytes: Buffer, start: number, end: number, literal: number | undefined): void {
    const lineEnd = end > start && bytes[end - 1] === CR ? end - 1 : end
    this.#lines.push(
      this.#maskOf(bytes, start, lineEnd)
        ?.line(bytes, start, lineEnd, this.#continues, literal)
        .slice(0, shownMax) ?? bytes.toString('utf8', start, Math.min(lineEnd, start + shownMax)),
    )
    this.#continues = literal !== undefined
  }

  onLongLine(bytes: Buffer, start: number, end: number): void {
    const shownEnd = Math.min(end, start + shownMax)
    const mask = this.#maskOf(bytes, start, shownEnd)
    const text =
      mask?.line(bytes, start, shownEnd, this.#continues, undefined) ??
      bytes.toString('utf8', start, shownEnd)
    mask?.lose()
    this.#continues = false
    this.#lines.push(`${text} [line continues]`)
  }

  onLiteral(bytes: Buffer, start: number, end: number): void {
    // The rest of a long line is not reported, but may have announced this literal.
    this.#continues = true
    if (this.#mask || this.#isUnknown) return
    for (const line of bytes.toString('utf8', start, end).split('\n'))
      this.#lines.push(line.replace(/\r$/, '').slice(0, shownMax))
  }
}
