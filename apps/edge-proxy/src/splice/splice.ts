/**
 * Joins a logged-in client to its upstream until the session ends, with backpressure both ways. Plain callbacks: no
 * promise, no string and no copy a line on this path.
 */
import { afterLogin, printCapabilities } from '../imap/capability.ts'
import type { CommandHead, Verb } from '../imap/verb.ts'
import type { Link } from '../link/link.ts'
import { randomName } from '../upstream/random-tag.ts'
import type { Upstream } from '../upstream/upstream.ts'
import { passCommands } from './commands.ts'
import { Conversation } from './conversation.ts'
import type { Ending, HandBack } from './ending.ts'
import type { AnswerOptions, Policy } from './policy.ts'
import { judgeResponse } from './replies.ts'

/** Both ways of a session's bytes, for a trace; no credentials are among them. */
export interface Tap {
  fromClient(bytes: Buffer): void
  fromServer(bytes: Buffer): void
}

/** What a splice needs from the edge. */
export interface SpliceContext {
  /** Read at each use, so that a reload is felt by running sessions. */
  options(): AnswerOptions & { lineBytesMax: number }
  /** Coarse milliseconds; for idle time only. */
  readonly now: () => number
  readonly counters: { clientBytes: number; upstreamBytes: number; roundTripsSaved: number }
  /** A command of the edge's own was refused by the server. */
  onOwnRefused(verb: Verb, text: string): void
}

const pendingBytesMax = 65_536

export class Splice {
  readonly #client: Link
  readonly #upstream: Upstream
  readonly #context: SpliceContext
  readonly #talk: Conversation
  readonly #done: (ending: Ending) => void
  /** Client bytes not yet passed on. */
  #pending: Buffer | undefined
  #upstreamIsFull = false
  #clientIsPaused = false
  #clientHasFinished = false
  #ended = false
  /** The session's trace, while its user is traced. */
  tap: Tap | undefined
  /** When a byte last went either way. */
  lastActiveAt: number

  constructor(client: Link, upstream: Upstream, context: SpliceContext, done: (ending: Ending) => void) {
    this.#client = client
    this.#upstream = upstream
    this.#context = context
    this.#done = done
    this.#talk = new Conversation(upstream)
    this.lastActiveAt = context.now()
  }

  /** `early`: what the client has sent behind its login. */
  start(early: Buffer | undefined): void {
    this.#client.handler = {
      onData: (bytes) => this.#onClientData(bytes),
      onDrain: () => this.#upstream.link.resume(),
      onEnd: (end) => this.end({ kind: 'client-gone', end }),
      onFinish: () => this.#onClientFinish(),
    }
    this.#upstream.hand(
      {
        onData: (bytes) => this.#onUpstreamData(bytes),
        onDrain: () => {
          this.#upstreamIsFull = false
          this.#adjustClient()
        },
        onEnd: (end) => this.end({ kind: 'upstream-gone', end }),
      },
      {
        onResponse: (kind, bytes, start, end) =>
          judgeResponse(this.#talk, kind, bytes, start, end, this.#onOwnReply),
        onPass: (bytes) => this.#toClient(bytes),
      },
    )
    if (early) this.#onClientData(early)
  }

  /**
   * Sends a command of the edge's own, such as an ID told before login; the client never sees its reply.
   * @param rest the command behind its tag, line end included
   */
  sendOwn(verb: Verb, rest: Buffer): void {
    const { tag } = this.#talk.sent(randomName('E'), verb, true)
    this.#upstream.link.write(Buffer.concat([Buffer.from(`${tag} `), rest]))
  }

  /** Ends the session; the first ending counts. */
  end(ending: Ending): void {
    if (this.#ended) return
    this.#ended = true
    this.#done(ending)
  }

  handBack(ending: Ending): HandBack {
    return this.#talk.handBack(ending)
  }

  #onClientData(bytes: Buffer): void {
    this.lastActiveAt = this.#context.now()
    this.#context.counters.clientBytes += bytes.length
    this.#pending = this.#pending ? Buffer.concat([this.#pending, bytes]) : bytes
    if (this.#talk.blocked !== 'continuation') this.#passPending()
    this.#adjustClient()
  }

  #passPending(): void {
    const bytes = this.#pending
    if (bytes === undefined || this.#ended) return
    const dealtWith = passCommands(bytes, this.#talk, this.#context.options(), this.#commandSink)
    if (dealtWith < 0) return
    // A copy of a small rest lets go of the large chunk.
    if (dealtWith > 0)
      this.#pending = dealtWith === bytes.length ? undefined : Buffer.from(bytes.subarray(dealtWith))
    if (this.#clientHasFinished && this.#talk.blocked === undefined)
      this.end({ kind: 'client-gone', end: 'closed-by-peer' })
  }

  readonly #commandSink = {
    onPass: (bytes: Buffer, from: number, to: number): void => {
      const part = from === 0 && to === bytes.length ? bytes : bytes.subarray(from, to)
      this.tap?.fromClient(part)
      if (!this.#upstream.link.write(part)) this.#upstreamIsFull = true
    },
    onAnswer: (
      policy: Exclude<Policy, { kind: 'pass' }>,
      head: CommandHead,
      line: Buffer,
      lineStart: number,
    ): void => {
      this.tap?.fromClient(line)
      this.#answer(
        policy,
        line.toString('latin1', 0, head.tagEnd - lineStart),
        line,
        head.verbStart - lineStart,
      )
    },
    onViolation: (reason: 'line-too-long' | 'literal-too-long'): void =>
      this.end({ kind: 'violation', reason }),
  }

  #answer(policy: Exclude<Policy, { kind: 'pass' }>, tag: string, line: Buffer, verbStart: number): void {
    if (policy.kind === 'refuse')
      return this.#say(`${policy.text === 'Invalid tag' ? '*' : tag} BAD ${policy.text}`)
    if (policy.what === 'logout') {
      this.#context.counters.roundTripsSaved++
      return this.end({ kind: 'logout', tag })
    }
    if (policy.what === 'id') {
      this.#context.counters.roundTripsSaved++
      this.#say(`* ID NIL\r\n${tag} OK Completed`)
      return this.sendOwn('ID', line.subarray(verbStart))
    }
    const { capabilities } = this.#upstream
    if (capabilities.length === 0) {
      this.#talk.sent(tag, 'CAPABILITY', false)
      this.#upstream.link.write(line)
      return
    }
    this.#context.counters.roundTripsSaved++
    this.#say(`* CAPABILITY ${printCapabilities(afterLogin(capabilities))}\r\n${tag} OK Completed`)
  }

  #onUpstreamData(bytes: Buffer): void {
    this.lastActiveAt = this.#context.now()
    this.#context.counters.upstreamBytes += bytes.length
    this.#upstream.scanner.scan(bytes)
    if (this.#pending !== undefined && this.#talk.blocked !== 'continuation') this.#passPending()
    this.#adjustClient()
  }

  readonly #onOwnReply = (sent: { verb: Verb }, ok: boolean, text: string): void => {
    if (!ok) this.#context.onOwnRefused(sent.verb, text)
  }

  /** The client has shut down its sending side; replies that it still waits for before its LOGOUT are delivered. */
  #onClientFinish(): boolean {
    this.#clientHasFinished = this.#talk.blocked !== undefined && this.#pending !== undefined
    return this.#clientHasFinished
  }

  #say(text: string): void {
    this.#toClient(Buffer.from(`${text}\r\n`, 'latin1'))
  }

  #toClient(bytes: Buffer): void {
    this.tap?.fromServer(bytes)
    if (!this.#client.write(bytes)) this.#upstream.link.pause()
  }

  /** The client is read while the server takes what it sends and not too much waits for its turn. */
  #adjustClient(): void {
    const tooMuch = this.#talk.blocked !== undefined && (this.#pending?.length ?? 0) > pendingBytesMax
    const pause = this.#upstreamIsFull || tooMuch
    if (pause === this.#clientIsPaused) return
    this.#clientIsPaused = pause
    if (pause) this.#client.pause()
    else this.#client.resume()
  }
}
