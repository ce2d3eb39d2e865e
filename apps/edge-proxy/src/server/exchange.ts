/**
 * Sends commands to a server and waits for their replies, before a session uses the connection: greeting, STARTTLS, ID, login,
 * health checks. The bytes of replies are limited here, and their time by the callers.
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
  /** `closed-here`: the edge closed the connection because it was no longer needed. */
  reason: LinkEnd | 'closed-here' | 'too-much-data' | 'not-imap' | 'bye'
  /** For operators: the last line of the server, or a description of the problem. */
  detail?: string
  /** The untagged lines since the last reply, a BYE included. Absent: there were none, or too many. */
  said?: readonly string[]
}

interface Greeting {
  kind: 'greeting'
  /** The complete line, without its line end. */
  text: string
}

const replyBytesMax = 262_144

interface Expected {
  readonly tag: string
  readonly resolve: (reply: Reply | ExchangeFailure) => void
  readonly onContinue: ((text: string) => string) | undefined
}

export class Exchange {
  readonly #link: Link
  readonly #scanner: ResponseScanner
  #onGreeting: ((greeting: Greeting | ExchangeFailure) => void) | undefined
  /** Commands without a reply, in the order in which they were sent. */
  readonly #expected: Expected[] = []
  /** Commands that are sent in one segment with the next one. */
  #unsent = ''
  /** The untagged lines since the last reply. */
  #untagged: string[] = []
  /** Bytes after the last reply, while no reply is expected. */
  #behind: Buffer | undefined
  #bytes = 0
  #failure: ExchangeFailure | undefined
  #isWithdrawn = false
  #isReleased = false
  #lastTag = 0

  constructor(link: Link) {
    this.#link = link
    this.#scanner = new ResponseScanner({ onResponse: (...line) => this.#onResponse(...line), onPass() {} })
    link.handler = {
      onData: (bytes) => this.#onData(bytes),
      onEnd: (end) => this.fail(end),
    }
  }

  /** The first line of the server, which must be `* OK`. PREAUTH is refused: the edge has authenticated no user. */
  greeting(): Promise<Greeting | ExchangeFailure> {
    return new Promise((resolve) => {
      if (this.#failure) resolve(this.#failure)
      else this.#onGreeting = resolve
    })
  }

  /**
   * Sends a command and waits for its reply. Untagged lines that came before it are part of the reply.
   * @param onContinue returns what to send after a continuation request, given its text. Without it, a continuation
   *   request is a protocol error.
   */
  command(text: string, onContinue?: (text: string) => string): Promise<Reply | ExchangeFailure> {
    const reply = this.#expect(text, onContinue)
    if (this.#failure === undefined) this.#link.write(this.#unsent)
    this.#unsent = ''
    return reply
  }

  /** Sends a command in one segment with the next `command`, so that it needs no additional round trip. */
  commandAhead(text: string): Promise<Reply | ExchangeFailure> {
    return this.#expect(text, undefined)
  }

  #expect(text: string, onContinue: Expected['onContinue']): Promise<Reply | ExchangeFailure> {
    return new Promise((resolve) => {
      if (this.#isWithdrawn) this.fail('closed-here')
      if (this.#failure) return resolve(this.#failure)
      if (this.#expected.length === 0) this.#bytes = 0
      const tag = `i${++this.#lastTag}`
      this.#behind = undefined
      this.#expected.push({ tag, resolve, onContinue })
      this.#unsent += `${tag} ${text}\r\n`
    })
  }

  /** Ends the exchange and closes the link. The first reason counts. */
  fail(reason: ExchangeFailure['reason'], detail?: string): void {
    if (this.#failure) return
    const failure: ExchangeFailure = {
      kind: 'failed',
      reason,
      ...(detail !== undefined && { detail }),
      ...(this.#untagged.length > 0 && reason !== 'too-much-data' && { said: this.#untagged }),
    }
    this.#failure = failure
    this.#link.close()
    this.#onGreeting?.(failure)
    for (const { resolve } of this.#expected.splice(0)) resolve(failure)
  }

  /** Allows no more data to be sent. Replies are still awaited, but the exchange fails when more would have to be sent. */
  sendNoMore(): void {
    this.#isWithdrawn = true
  }

  /** Undefined: the exchange has not failed. */
  get failure(): ExchangeFailure | undefined {
    return this.#failure
  }

  /** The untagged lines since the last reply, a BYE included. */
  get said(): readonly string[] {
    return this.#untagged
  }

  /** Whether the last line of the server is incomplete. */
  get isWithinLine(): boolean {
    return !this.#scanner.atBoundary
  }

  /**
   * Leaves the link to its next handler, which gets all bytes after the last reply. The link is paused if there already are such
   * bytes. Undefined after success.
   */
  release(): ExchangeFailure | undefined {
    if (this.#failure) return this.#failure
    this.#isReleased = true
    if (this.#behind !== undefined) this.#link.unshift(this.#behind)
    return undefined
  }

  /** Whether the server has sent nothing after its last reply. Required before TLS starts. */
  get isQuiet(): boolean {
    return this.#failure === undefined && !this.#isWaiting && this.#behind === undefined
  }

  get #isWaiting(): boolean {
    return this.#onGreeting !== undefined || this.#expected.length > 0
  }

  #onData(bytes: Buffer): void {
    if (this.#isReleased) return this.#link.unshift(bytes)
    this.#bytes += bytes.length
    if (this.#bytes > replyBytesMax) return this.fail('too-much-data')
    if (!this.#isWaiting) this.#behind = this.#behind ? Buffer.concat([this.#behind, bytes]) : bytes
    this.#scanner.scan(bytes)
    // Checked after the scan: a tagged reply in the same segment is more specific than a BYE.
    const bye = this.#untagged.find(isBye)
    if (bye !== undefined) this.fail('bye', bye)
  }

  #onResponse(kind: ResponseKind, bytes: Buffer, start: number, end: number): LineVerdict {
    if (this.#failure) return 'omit'
    const line = bytes.toString('latin1', start, bytes[end - 1] === 13 ? end - 1 : end)
    if (this.#onGreeting) this.#onGreetingLine(this.#onGreeting, line)
    else if (kind === 'untagged') this.#untagged.push(line)
    else if (kind === 'continuation') this.#onContinuation(line)
    else this.#onReply(line)
    if (kind !== 'continuation' && !this.#isWaiting && this.#behind === undefined && end + 1 < bytes.length)
      this.#behind = Buffer.from(bytes.subarray(end + 1))
    return 'omit'
  }

  #onGreetingLine(resolve: (greeting: Greeting) => void, line: string): void {
    if (/^\* OK\b/i.test(line)) {
      this.#onGreeting = undefined
      return resolve({ kind: 'greeting', text: line })
    }
    if (isBye(line)) this.#untagged.push(line)
    this.fail(isBye(line) ? 'bye' : 'not-imap', line)
  }

  #onContinuation(line: string): void {
    // Commands of `commandAhead` expect no continuation request.
    const expected = this.#expected.find(({ onContinue }) => onContinue !== undefined)
    if (!expected) return this.fail('not-imap', line)
    if (this.#isWithdrawn) return this.fail('closed-here')
    this.#link.write(`${expected.onContinue!(line.slice(2))}\r\n`)
  }

  #onReply(line: string): void {
    const match = /^(\S+) (OK|NO|BAD)(?: (.*))?$/i.exec(line)
    const index = this.#expected.findIndex(({ tag }) => tag === match?.[1])
    if (index < 0) return this.fail('not-imap', line)
    const status = match![2]!.toUpperCase() as Reply['status']
    const bye = this.#untagged.find(isBye)
    if (status === 'OK' && bye !== undefined) return this.fail('bye', bye)
    const [expected] = this.#expected.splice(index, 1)
    const untagged = this.#untagged
    this.#untagged = []
    expected!.resolve({ kind: 'reply', status, text: match![3] ?? '', untagged })
  }
}

const isBye = (line: string): boolean => /^\* BYE\b/i.test(line)
