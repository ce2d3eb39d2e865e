/**
 * Commands to a server one at a time, each with its reply: for the greeting, STARTTLS, the login and health checks. The
 * reply to a command is bounded in bytes; the callers bound it in time.
 */
import { ResponseScanner, type LineVerdict, type ResponseKind } from '../imap/response-scanner.ts'
import type { Link, LinkEnd } from '../net/link.ts'

export interface Reply {
  kind: 'reply'
  status: 'OK' | 'NO' | 'BAD'
  /** Everything after the status, response code included, without the line end. */
  text: string
  /** The untagged lines before it, without line ends. Literals are omitted. */
  untagged: string[]
}

/** The exchange has ended, and the link is closed. */
export interface ExchangeFailure {
  kind: 'failed'
  /** `closed-here`: the edge had no further use for it. */
  reason: LinkEnd | 'closed-here' | 'too-much-data' | 'not-imap' | 'bye'
  /** For operators: what the server sent last, or what is wrong with it. */
  detail?: string
}

interface Greeting {
  kind: 'greeting'
  /** The whole line, without its end. */
  text: string
}

const replyBytesMax = 262_144

type Waiting =
  | { kind: 'greeting'; resolve: (greeting: Greeting | ExchangeFailure) => void }
  | {
      kind: 'reply'
      tag: string
      resolve: (reply: Reply | ExchangeFailure) => void
      onContinue?: (text: string) => string
    }

export class Exchange {
  readonly #link: Link
  readonly #scanner: ResponseScanner
  #waiting: Waiting | undefined
  #untagged: string[] = []
  #bytes = 0
  #failure: ExchangeFailure | undefined
  #isWithdrawn = false
  #lastTag = 0

  constructor(link: Link) {
    this.#link = link
    this.#scanner = new ResponseScanner({ onResponse: (...line) => this.#onResponse(...line), onPass() {} })
    link.handler = {
      onData: (bytes) => {
        this.#bytes += bytes.length
        if (this.#bytes > replyBytesMax) return this.fail('too-much-data')
        this.#scanner.scan(bytes)
      },
      onEnd: (end) => this.fail(end),
    }
  }

  /** The first line of the server, which must be `* OK`. PREAUTH is refused: the edge has authenticated no user. */
  greeting(): Promise<Greeting | ExchangeFailure> {
    return new Promise((resolve) => {
      if (this.#failure) resolve(this.#failure)
      else this.#waiting = { kind: 'greeting', resolve }
    })
  }

  /**
   * Sends a command and waits for its reply.
   * @param onContinue returns what to send after a continuation request, given its text. Without it, a continuation
   *   request is a protocol error.
   */
  command(text: string, onContinue?: (text: string) => string): Promise<Reply | ExchangeFailure> {
    return new Promise((resolve) => {
      if (this.#isWithdrawn) this.fail('closed-here')
      if (this.#failure) return resolve(this.#failure)
      const tag = `i${++this.#lastTag}`
      this.#untagged = []
      this.#bytes = 0
      this.#waiting = { kind: 'reply', tag, resolve, ...(onContinue && { onContinue }) }
      this.#link.write(`${tag} ${text}\r\n`)
    })
  }

  /** Ends the exchange and closes the link. The first reason counts. */
  fail(reason: ExchangeFailure['reason'], detail?: string): void {
    if (this.#failure) return
    this.#failure = { kind: 'failed', reason, ...(detail !== undefined && { detail }) }
    this.#link.close()
    this.#waiting?.resolve(this.#failure)
    this.#waiting = undefined
  }

  /** Lets the server answer what was sent. The exchange ends where anything else would have to be sent. */
  sendNoMore(): void {
    this.#isWithdrawn = true
  }

  /** Whether the server has sent nothing after its last reply. Required before TLS starts and before a session does. */
  get isQuiet(): boolean {
    return this.#failure === undefined && this.#waiting === undefined && this.#scanner.atBoundary
  }

  #onResponse(kind: ResponseKind, bytes: Buffer, start: number, end: number): LineVerdict {
    const line = bytes.toString('latin1', start, bytes[end - 1] === 13 ? end - 1 : end)
    const waiting = this.#waiting
    if (waiting === undefined) {
      if (kind === 'tagged') this.fail('not-imap', line)
      else if (/^\* BYE/i.test(line)) this.fail('bye', line)
    } else if (waiting.kind === 'greeting') {
      this.#waiting = undefined
      if (/^\* OK\b/i.test(line)) waiting.resolve({ kind: 'greeting', text: line })
      else {
        this.#waiting = waiting
        this.fail(/^\* BYE/i.test(line) ? 'bye' : 'not-imap', line)
      }
    } else this.#onReplyLine(waiting, kind, line)
    return 'omit'
  }

  #onReplyLine(waiting: Extract<Waiting, { kind: 'reply' }>, kind: ResponseKind, line: string): void {
    if (kind === 'untagged') {
      this.#untagged.push(line)
      if (/^\* BYE/i.test(line)) this.fail('bye', line)
    } else if (kind === 'continuation') {
      if (!waiting.onContinue) return this.fail('not-imap', line)
      if (this.#isWithdrawn) return this.fail('closed-here')
      this.#link.write(`${waiting.onContinue(line.slice(2))}\r\n`)
    } else {
      const match = /^(\S+) (OK|NO|BAD)(?: (.*))?$/i.exec(line)
      if (match?.[1] !== waiting.tag) return this.fail('not-imap', line)
      this.#waiting = undefined
      const status = match[2]!.toUpperCase() as Reply['status']
      waiting.resolve({ kind: 'reply', status, text: match[3] ?? '', untagged: this.#untagged })
    }
  }
}
