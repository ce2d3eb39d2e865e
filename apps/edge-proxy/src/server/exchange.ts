/**
 * Talking to a server one command at a time: while it is greeted, logged in and asked for capabilities. Everything the
 * server says is bounded in time and bytes, and nothing of it is believed before it is whole.
 */
import { ResponseScanner, type LineVerdict, type ResponseKind } from '../imap/response-scanner.ts'
import type { Link, LinkEnd } from '../net/link.ts'

export interface Reply {
  kind: 'reply'
  status: 'OK' | 'NO' | 'BAD'
  /** What follows the status, code included, without the line end. */
  text: string
  /** Whole untagged lines that came before it, without line ends. */
  untagged: string[]
}

/** The conversation cannot go on; the link is closed. */
export interface Broken {
  kind: 'broken'
  reason: LinkEnd | 'timed-out' | 'too-much-data' | 'not-imap' | 'bye'
  /** What the server said last, if it is worth telling. */
  detail?: string
}

const replyBytesMax = 262_144

type Waiting =
  | { kind: 'greeting'; resolve: (line: { kind: 'line'; text: string } | Broken) => void }
  | {
      kind: 'reply'
      tag: string
      resolve: (reply: Reply | Broken) => void
      onContinue?: (text: string) => string
    }

export class Exchange {
  readonly #link: Link
  readonly #scanner: ResponseScanner
  #waiting: Waiting | undefined
  #untagged: string[] = []
  #bytes = 0
  #broken: Broken | undefined
  #tags = 0

  constructor(link: Link) {
    this.#link = link
    this.#scanner = new ResponseScanner({ onResponse: (...line) => this.#onResponse(...line), onPass() {} })
    this.takeOver()
  }

  /** Begins to listen, also again after the link has changed its socket. */
  takeOver(): void {
    this.#link.handler = {
      onData: (bytes) => {
        this.#bytes += bytes.length
        if (this.#bytes > replyBytesMax) return this.break('too-much-data')
        this.#scanner.scan(bytes)
      },
      onDrain() {},
      onEnd: (end) => this.break(end),
    }
  }

  /** The server's first line; `* OK`, or broken. PREAUTH is refused: nobody has been authenticated by us. */
  greeting(): Promise<{ kind: 'line'; text: string } | Broken> {
    return new Promise((resolve) => {
      if (this.#broken) resolve(this.#broken)
      else this.#waiting = { kind: 'greeting', resolve }
    })
  }

  /**
   * Sends a command and awaits its reply.
   * @param onContinue what to send when the server asks for more, given its text; without it a request for more is a
   *   protocol error.
   */
  command(text: string, onContinue?: (text: string) => string): Promise<Reply | Broken> {
    return new Promise((resolve) => {
      if (this.#broken) return resolve(this.#broken)
      const tag = `i${++this.#tags}`
      this.#untagged = []
      this.#bytes = 0
      this.#waiting = { kind: 'reply', tag, resolve, ...(onContinue && { onContinue }) }
      this.#link.write(`${tag} ${text}\r\n`)
    })
  }

  /** Ends the conversation and closes the link. */
  break(reason: Broken['reason'], detail?: string): void {
    if (this.#broken) return
    this.#broken = { kind: 'broken', reason, ...(detail !== undefined && { detail }) }
    this.#link.close()
    this.#waiting?.resolve(this.#broken)
    this.#waiting = undefined
  }

  /** Whether the server has said nothing beyond what was asked: required before TLS begins and before a hand-over. */
  get isQuiet(): boolean {
    return this.#broken === undefined && this.#waiting === undefined && this.#scanner.atBoundary
  }

  #onResponse(kind: ResponseKind, bytes: Buffer, start: number, end: number): LineVerdict {
    const line = bytes.toString('latin1', start, bytes[end - 1] === 13 ? end - 1 : end)
    const waiting = this.#waiting
    if (waiting === undefined) {
      if (kind === 'tagged') this.break('not-imap', line)
      else if (/^\* BYE/i.test(line)) this.break('bye', line)
    } else if (waiting.kind === 'greeting') {
      this.#waiting = undefined
      if (/^\* OK\b/i.test(line)) waiting.resolve({ kind: 'line', text: line })
      else {
        this.#waiting = waiting
        this.break(/^\* BYE/i.test(line) ? 'bye' : 'not-imap', line)
      }
    } else this.#onReplyLine(waiting, kind, line)
    return 'omit'
  }

  #onReplyLine(waiting: Extract<Waiting, { kind: 'reply' }>, kind: ResponseKind, line: string): void {
    if (kind === 'untagged') {
      this.#untagged.push(line)
      if (/^\* BYE/i.test(line)) this.break('bye', line)
    } else if (kind === 'continuation') {
      if (!waiting.onContinue) return this.break('not-imap', line)
      this.#link.write(`${waiting.onContinue(line.slice(2))}\r\n`)
    } else {
      const match = /^(\S+) (OK|NO|BAD)(?: (.*))?$/i.exec(line)
      if (match?.[1] !== waiting.tag) return this.break('not-imap', line)
      this.#waiting = undefined
      const status = match[2]!.toUpperCase() as Reply['status']
      waiting.resolve({ kind: 'reply', status, text: match[3] ?? '', untagged: this.#untagged })
    }
  }
}
