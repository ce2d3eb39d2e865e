/**
 * Joins a logged-in client and its server connection until the session ends, with backpressure in both directions. Plain
 * callbacks: no promise, no string and no copy per line.
 *
 *   client ─▶ ClientSide ─▶ fromClient ─▶ passCommands (commands.ts) ─▶ #toServer ─▶ server connection
 *   client ◀─ toClient ◀─ ResponseScanner, judgeResponse (replies.ts) ◀─ fromServer ◀─ ServerSide ◀─ server connection
 *
 * Of a client's chunk, the part that may not pass yet waits here: for the rest of its line, for the server's `+`, or until
 * earlier replies have passed and the edge may answer. While too much waits, the client is not read.
 */
import { wordEnd } from '../imap/bytes.ts'
import { printAfterLogin } from '../imap/capability.ts'
import { printId, type IdPairs } from '../imap/id.ts'
import type { ScanPosition } from '../imap/literal.ts'
import { withoutPageHints } from '../imap/page-hints.ts'
import type { HeadVerdict, LineVerdict, ResponseKind, ResponseSink } from '../imap/response-scanner.ts'
import type { Verb } from '../imap/verb.ts'
import { Linked } from '../linked-members.ts'
import type { Link, LinkEnd, LinkHandler } from '../net/link.ts'
import { CoarseTimeouts } from '../server/coarse-timeouts.ts'
import { randomName } from '../server/random-name.ts'
import { withCondstore, type ServerConnection } from '../server/server-connection.ts'
import { Ahead } from './ahead.ts'
import type { AheadSetup } from './ahead-setup.ts'
import type { BehindBarrier } from './behind-barrier.ts'
import { passCommands, type Passage } from './commands.ts'
import { Conversation, type SpliceContext } from './conversation.ts'
import type { HandBack } from '../server/reset.ts'
import { goodbye, type Ending } from './ending.ts'
import { judgeHead, judgeResponse } from './replies.ts'

/** Gets the bytes of both directions as they pass, for a trace. They hold no credentials. */
export interface Tap {
  /** @param startsCommand whether the first byte begins a command: after a refused literal, only the splice knows */
  fromClient(bytes: Buffer, startsCommand: boolean): void
  fromServer(bytes: Buffer): void
  /** Something that the edge did. */
  remark(text: string): void
}

export interface SpliceCalls {
  /**
   * Asks for an idle connection of the same user with this `enabledKey`. If there is one, the present connection is
   * given back with `handBack`.
   */
  swap(enabledKey: string, handBack: HandBack): ServerConnection | undefined
  /** Called once, while the client is connected: a command of it enables CONDSTORE. */
  onCondstore(): void
  /** Called once. The splice does not use its connection any more. */
  onEnd(ending: Ending, handBack: HandBack): void
}

/** The client is not read while more of its bytes than this wait here. */
const pendingBytesMax = 65_536
const lineEnd = Buffer.from('\r\n')

const timeouts = new CoarseTimeouts<Splice>((splice) => splice.onWaitTimeout())

export class Splice extends Linked<Splice> {
  readonly #context: SpliceContext
  readonly #client: Link
  readonly #calls: SpliceCalls
  readonly #serverSide: ServerSide
  /** Undefined: nothing is learned or asked ahead. */
  readonly #ahead: Ahead | undefined
  /** Holds the server connection. Another one after the session has moved to another connection. */
  #conversation: Conversation
  /** The client's bytes that have not passed. */
  #pending: Buffer | undefined
  #serverIsFull = false
  #clientIsPaused = false
  /** The client has finished sending, and is served until what waits here has passed. */
  #isFinishing = false
  /** Bytes wait here for the server, and a timeout runs. */
  #isWaiting = false
  #hasReportedCondstore = false
  /** How long they have waited, up to the last timeout. */
  #waitedMs = 0
  /** Since the last timeout the server has sent something, or one of the peers has taken all that was written to it. */
  #hasProgressed = false
  #ended = false
  #lastActiveAt: number
  /** At the last look: bytes that wait for a peer to take them. */
  #queuedBytes = 0
  #clientBytes = 0
  #upstreamBytes = 0
  /** Set while the user is traced. */
  tap: Tap | undefined

  constructor(
    context: SpliceContext,
    ends: { client: Link; connection: ServerConnection },
    calls: SpliceCalls,
    ahead?: AheadSetup,
    behind?: BehindBarrier,
  ) {
    super()
    this.#context = context
    this.#client = ends.client
    this.#calls = calls
    this.#serverSide = new ServerSide(this)
    this.#ahead = ahead && new Ahead(ahead, context, behind, (text) => this.tap?.remark(text()))
    this.#conversation = new Conversation(ends.connection, context, this.#ahead)
    this.#lastActiveAt = context.clock.now()
  }

  /** When a byte last came from either side; coarse milliseconds. */
  get lastActiveAt(): number {
    return this.#lastActiveAt
  }

  /** Counts as activity if a peer, which may read slowly, has taken bytes since the last look. */
  lookForProgress(): void {
    const queuedBytes = this.#client.queuedBytes + this.#conversation.connection.link.queuedBytes
    if (queuedBytes > 0 && queuedBytes !== this.#queuedBytes) this.#lastActiveAt = this.#context.clock.now()
    this.#queuedBytes = queuedBytes
  }

  /** Releases what is held for a client that does not ask for it. */
  dropStale(): void {
    this.#ahead?.dropStale()
  }

  /** Bytes received from the client, and from its server connections. */
  get clientBytes(): number {
    return this.#clientBytes
  }
  get upstreamBytes(): number {
    return this.#upstreamBytes
  }

  /** Another one after the session has moved. */
  get connection(): ServerConnection {
    return this.#conversation.connection
  }

  /** The last command of the client that went to the server. Undefined before the first, and after a move. */
  get lastVerb(): Verb | undefined {
    return this.#conversation.lastVerb
  }

  /** Commands of the client that were answered by what was asked ahead. */
  get aheadUsed(): number {
    return this.#ahead?.used ?? 0
  }

  /** `working` unless the session is in IDLE, or nothing of the client is unanswered or incomplete. */
  get phase(): 'idling' | 'between-commands' | 'working' {
    const { scanner, connection, isIdling, isAllAnswered } = this.#conversation
    if (this.#pending !== undefined || !connection.scanner.betweenResponses) return 'working'
    if (isIdling) return 'idling'
    return isAllAnswered && scanner.betweenCommands ? 'between-commands' : 'working'
  }

  /** Where the bytes that have passed in each direction end, for a trace that begins here. */
  positions(): { C: ScanPosition; S: ScanPosition } {
    const { scanner, connection } = this.#conversation
    return { C: scanner.position, S: connection.scanner.position }
  }

  /**
   * @param ids ID commands of the edge, without tags and line ends. They go before the client's bytes, which may end within a command.
   * @param early what the client has sent behind its login
   */
  start(ids: readonly string[], early: Buffer | undefined): void {
    const { connection } = this.#conversation
    this.#client.handler = new ClientSide(this)
    connection.setHandlers(this.#serverSide, this.#serverSide)
    // Either end may have closed during the login, and does not report it again.
    if (!connection.link.isOpen) return this.end({ kind: 'upstream-gone', end: 'closed-by-peer' })
    if (!this.#client.isOpen) return this.end({ kind: 'client-gone', end: 'closed-by-peer' })
    // It is paused if bytes came behind the reply to its login.
    connection.link.resume()
    for (const id of ids) this.#sendOwn('ID', id)
    // The login was answered without a list. Whether the server has UNSELECT decides how the connection is reset.
    if (connection.capabilities.length === 0) this.#sendOwn('CAPABILITY', 'CAPABILITY')
    if (early) this.fromClient(early)
  }

  /** Ends the session, and says so to the client; the first ending counts. */
  end(ending: Ending): void {
    if (this.#ended) return
    this.#ended = true
    timeouts.remove(this)
    const handBack = this.#conversation.handBack(ending)
    this.#ahead?.end(ending)
    try {
      const hasBye = ending.kind === 'upstream-gone' && this.#conversation.hasServerBye
      const words = hasBye ? undefined : goodbye(ending)
      if (words !== undefined) this.#say(words)
    } finally {
      this.#calls.onEnd(ending, handBack)
    }
  }

  // Client to server.

  fromClient(bytes: Buffer): void {
    this.#lastActiveAt = this.#context.clock.now()
    this.#context.metrics.counters.client_bytes_total.value += bytes.length
    this.#clientBytes += bytes.length
    if (this.#conversation.waitsFor === 'logout') return
    this.#pending = this.#pending ? Buffer.concat([this.#pending, bytes]) : bytes
    this.#passPending()
    this.#adjustWait()
    this.#adjustClient()
  }

  /** Passes on, and answers, as much of the pending bytes as the conversation allows. */
  #passPending(): void {
    const bytes = this.#pending
    if (bytes === undefined || this.#ended || this.#conversation.waitsFor === 'continuation') return
    let at = 0
    for (;;) {
      const startsCommand = this.#conversation.scanner.betweenCommands
      const passage = passCommands(bytes, at, this.#conversation)
      const isAtEnd = passage.kind === 'passed' && passage.to === bytes.length
      const behind = isAtEnd ? this.#ahead?.ask() : undefined
      if (passage.to > at) this.#toServer(bytes, at, passage.to, startsCommand, behind)
      else if (behind) this.#conversation.connection.link.write(behind)
      at = passage.to
      if (passage.kind === 'passed') break
      if (passage.kind === 'violation') return this.end({ kind: 'violation', reason: passage.reason })
      if (passage.kind === 'own-command') this.#sendOwn(passage.verb, passage.verb)
      else if (passage.kind === 'condstore') {
        if (!this.#move(withCondstore(''))) this.#conversation.stayForCondstore()
      } else {
        this.#answer(bytes, passage)
        at = passage.lineFeed + 1
      }
      if (this.#ended) return
    }
    if (this.#conversation.usesCondstore && !this.#hasReportedCondstore) {
      this.#hasReportedCondstore = true
      this.#calls.onCondstore()
    }
    if (at === bytes.length) this.#pending = undefined
    // A copy of the rest, so that the memory of a large chunk is released.
    else if (at > 0) this.#pending = Buffer.from(bytes.subarray(at))
    if (this.#isFinishing && this.#conversation.waitsFor === undefined)
      this.end({ kind: 'client-gone', end: 'closed-by-peer' })
  }

  /** Limits how long bytes of the client wait for the server. */
  #adjustWait(): void {
    const waits = this.#pending !== undefined && this.#conversation.waitsFor !== undefined && !this.#ended
    if (waits === this.#isWaiting) return
    this.#isWaiting = waits
    this.#waitedMs = 0
    if (waits) this.#wait()
    else timeouts.remove(this)
  }

  #wait(): void {
    this.#hasProgressed = false
    timeouts.add(this, this.#waitMs)
  }

  get #waitMs(): number {
    const { replyTimeoutMs, resetTimeoutMs } = this.#context.settings.current.pool
    return this.#isFinishing ? resetTimeoutMs : replyTimeoutMs
  }

  /**
   * While the server sends a large mail, or one of the peers takes one, the wait continues, but not beyond
   * `clients.idleTimeoutMs`.
   */
  onWaitTimeout(): void {
    this.#waitedMs += this.#waitMs
    // The server is not read while the client is behind, and cannot answer a command that it does not have.
    const queuedBytes = this.#client.queuedBytes + this.#conversation.connection.link.queuedBytes
    const isBusy = this.#hasProgressed || queuedBytes > 0
    if (isBusy && this.#waitedMs < this.#context.settings.current.clients.idleTimeoutMs) return this.#wait()
    if (this.#isFinishing) return this.end({ kind: 'client-gone', end: 'closed-by-peer' })
    const pending = this.#pending!
    const logoutTag =
      this.#conversation.waitsFor === 'logout'
        ? pending.toString('latin1', 0, wordEnd(pending, 0, pending.length))
        : undefined
    this.end({ kind: 'reply-overdue', logoutTag })
  }

  /** @param behind commands of the edge that leave in the same segment */
  #toServer(bytes: Buffer, from: number, to: number, startsCommand: boolean, behind?: string): void {
    const part = from === 0 && to === bytes.length ? bytes : bytes.subarray(from, to)
    this.tap?.fromClient(part, startsCommand)
    const whole = behind ? Buffer.concat([part, Buffer.from(behind, 'latin1')]) : part
    if (!this.#conversation.connection.link.write(whole)) this.#serverIsFull = true
  }

  /**
   * Sends a command of the edge. The client does not see its reply.
   * @param command without tag and line end
   */
  #sendOwn(verb: Verb, command: string): void {
    const tag = randomName('E')
    this.#conversation.ownSent(tag, verb)
    const behind = verb === 'UNSELECT' ? (this.#ahead?.unselectSent(tag) ?? '') : ''
    this.#conversation.connection.link.write(`${tag} ${command}\r\n${behind}`)
  }

  #answer(bytes: Buffer, { to, shownTo, tag, answer }: Extract<Passage, { kind: 'answer' }>): void {
    this.tap?.fromClient(Buffer.concat([bytes.subarray(to, shownTo), lineEnd]), true)
    const { connection, selectCache } = this.#conversation
    const { counters } = this.#context.metrics
    switch (answer.kind) {
      case 'bad':
        return this.#say(`${tag} BAD ${answer.text}\r\n`)
      case 'logout':
        counters.round_trips_saved_total.value++
        return this.end({ kind: 'logout', tag })
      case 'capability':
        counters.round_trips_saved_total.value++
        return this.#say(
          `* CAPABILITY ${printAfterLogin(connection.capabilities)}\r\n${tag} OK Completed\r\n`,
        )
      case 'id':
        counters.round_trips_saved_total.value++
        this.#say(`${answer.response}${tag} OK Completed\r\n`)
        return this.#identify(answer.pairs)
      case 'select':
        this.#ahead?.answeredHere()
        return this.#say(selectCache.answer(tag))
      case 'held':
        return this.#answerHeld(tag)
      case 'expunge-issued':
        return this.#say(this.#ahead!.refuse(tag))
      case 'enable':
        this.#ahead?.answeredHere()
        return this.#enable(tag, answer.extensions)
    }
  }

  /** The server gets the client's ID, except for what is for the edge. */
  #identify(pairs: IdPairs): void {
    this.#ahead?.identified(pairs)
    const rest = withoutPageHints(pairs)
    if (rest !== undefined) this.#sendOwn('ID', printId(rest))
  }

  /** Gives the client what was asked ahead for it, as far as it has arrived. The rest streams. */
  #answerHeld(tag: string): void {
    const { bytes, isWithinResponse } = this.#ahead!.claim(tag)
    if (bytes.length > 0) this.toClient(bytes)
    if (isWithinResponse) this.#conversation.connection.scanner.passRest()
  }

  /** ENABLE cannot be undone: move to a connection that has the extensions, or keep this one for later sessions with them. */
  #enable(tag: string, extensions: string): void {
    if (this.#move(extensions)) {
      const { connection } = this.#conversation
      this.#context.metrics.counters.round_trips_saved_total.value++
      return this.#say(`* ENABLED ${[...connection.extensions].join(' ')}\r\n${tag} OK Completed\r\n`)
    }
    const { connection, selectCache } = this.#conversation
    if (selectCache.isUntouched) {
      selectCache.leave()
      this.#sendOwn('UNSELECT', 'UNSELECT')
    }
    this.#conversation.enableSent(tag, extensions)
    connection.link.write(`${tag} ENABLE ${extensions}\r\n`)
  }

  /** Moves the session to an idle connection with this key. False: there is none, and the session stays on its own. */
  #move(enabledKey: string): boolean {
    const other = this.#calls.swap(enabledKey, this.#conversation.handBack('moved'))
    if (!other) return false
    this.#conversation = new Conversation(other, this.#context, this.#ahead)
    this.#serverIsFull = false
    other.setHandlers(this.#serverSide, this.#serverSide)
    return true
  }

  /** The server has taken all that was written to it. */
  serverDrained(): void {
    this.#serverIsFull = false
    this.#hasProgressed = true
    this.#adjustClient()
  }

  /** The client is read while the server takes its bytes and not too many of them wait here. */
  #adjustClient(): void {
    const pause = this.#serverIsFull || (this.#pending !== undefined && this.#isTooMuch(this.#pending))
    if (pause === this.#clientIsPaused) return
    this.#clientIsPaused = pause
    if (pause) this.#client.pause()
    else this.#client.resume()
  }

  /** Whether the waiting bytes are more than may wait here. What follows a LOGOUT is dropped, and does not count. */
  #isTooMuch(pending: Buffer): boolean {
    const { waitsFor } = this.#conversation
    return waitsFor !== undefined && waitsFor !== 'logout' && pending.length > pendingBytesMax
  }

  /**
   * The client has finished sending. It may still read: if commands wait for their turn, such as a LOGOUT, they are served
   * first. A client that has gone for good looks the same, so this is limited in time.
   * @returns whether the client is still served
   */
  clientFinishes(): boolean {
    if (this.#conversation.waitsFor === undefined || this.#pending === undefined) return false
    this.#isFinishing = true
    this.#waitedMs = 0
    this.#wait()
    return true
  }

  // Server to client.

  fromServer(bytes: Buffer): void {
    this.#lastActiveAt = this.#context.clock.now()
    this.#context.metrics.counters.upstream_bytes_total.value += bytes.length
    this.#upstreamBytes += bytes.length
    this.#hasProgressed = true
    this.#conversation.connection.scanner.scan(bytes)
    if (this.#conversation.hasLostReply) return this.end({ kind: 'reply-overdue', logoutTag: undefined })
    if (this.#ahead?.hasLostMailbox === true) return this.end({ kind: 'mailbox-lost' })
    const again = this.#ahead?.askAgain()
    if (again) this.#conversation.connection.link.write(again)
    if (this.#pending !== undefined) {
      this.#passPending()
      this.#adjustWait()
    }
    this.#adjustClient()
  }

  onResponse(kind: ResponseKind, bytes: Buffer, start: number, end: number): LineVerdict {
    return judgeResponse(kind, bytes, start, end, this.#conversation)
  }

  onHead(bytes: Buffer, start: number): HeadVerdict {
    return judgeHead(bytes, start, this.#conversation)
  }

  onKept(bytes: Buffer): void {
    this.#ahead?.onKept(bytes)
  }

  toClient(bytes: Buffer): void {
    this.tap?.fromServer(bytes)
    if (!this.#client.write(bytes)) this.#conversation.connection.link.pause()
  }

  /**
   * Every word of the edge itself goes through here. Within a response of the server the client would read it as mail, so
   * there it is not said. Answers never get there: they wait for their turn. At the end of a session, the client is
   * disconnected without a word.
   */
  #say(text: string): void {
    const { connection } = this.#conversation
    if (!connection.scanner.betweenResponses) return
    this.tap?.fromServer(Buffer.from(text, 'latin1'))
    if (!this.#client.write(text)) connection.link.pause()
  }

  /** The client has taken all that was written to it. */
  clientDrained(): void {
    this.#hasProgressed = true
    this.#conversation.connection.link.resume()
  }
}

/** The client's link as the splice sees it. Two small objects per session instead of a dozen closures. */
class ClientSide implements LinkHandler {
  readonly #splice: Splice

  constructor(splice: Splice) {
    this.#splice = splice
  }

  onData(bytes: Buffer): void {
    this.#splice.fromClient(bytes)
  }

  onDrain(): void {
    this.#splice.clientDrained()
  }

  onHalfClose(): boolean {
    return this.#splice.clientFinishes()
  }

  onEnd(end: LinkEnd): void {
    this.#splice.end({ kind: 'client-gone', end })
  }
}

/** The server connection's link and its responses as the splice sees them. */
class ServerSide implements LinkHandler, ResponseSink {
  /** The scanner copies what it holds back, and the rest is written to the client at once. */
  readonly borrows = true
  readonly #splice: Splice

  constructor(splice: Splice) {
    this.#splice = splice
  }

  onData(bytes: Buffer): void {
    this.#splice.fromServer(bytes)
  }

  onDrain(): void {
    this.#splice.serverDrained()
  }

  onEnd(end: LinkEnd): void {
    this.#splice.end({ kind: 'upstream-gone', end })
  }

  onResponse(kind: ResponseKind, bytes: Buffer, start: number, end: number): LineVerdict {
    return this.#splice.onResponse(kind, bytes, start, end)
  }

  onHead(bytes: Buffer, start: number): HeadVerdict {
    return this.#splice.onHead(bytes, start)
  }

  onPass(bytes: Buffer): void {
    this.#splice.toClient(bytes)
  }

  onKept(bytes: Buffer): void {
    this.#splice.onKept(bytes)
  }
}
