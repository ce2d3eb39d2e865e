/**
 * Joins a logged-in client and its server connection until the session ends, with backpressure in both directions. Plain
 * callbacks: no promise, no string and no copy per line.
 *
 *   client ─▶ ClientSide ─▶ fromClient ─▶ passCommands (commands.ts) ─▶ #toServer ─▶ server connection
 *   client ◀─ toClient ◀─ ResponseScanner, judgeResponse (replies.ts) ◀─ fromServer ◀─ ServerSide ◀─ server connection
 *
 * Bytes of the client that may not pass yet wait here: for the rest of their line, for the server's `+`, or until earlier
 * replies have passed and the edge may answer. While too many bytes wait, the edge does not read from the client.
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

/** Gets the bytes of both directions as they pass, for a trace. They contain no credentials. */
export interface Tap {
  /** @param startsCommand whether the first byte begins a command. After a refused literal, the bytes do not show this */
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
  /** Called once, when the client first sends a command that enables CONDSTORE. */
  onCondstore(): void
  /** Called once. The splice no longer uses its connection. */
  onEnd(ending: Ending, handBack: HandBack): void
}

/** While more bytes than this wait, the edge does not read from the client. */
const pendingBytesMax = 65_536
const lineEnd = Buffer.from('\r\n')

const timeouts = new CoarseTimeouts<Splice>((splice) => splice.onWaitTimeout())

export class Splice extends Linked<Splice> {
  readonly #context: SpliceContext
  readonly #client: Link
  readonly #calls: SpliceCalls
  readonly #serverSide: ServerSide
  /** Undefined: this session does not use answer-ahead. */
  readonly #ahead: Ahead | undefined
  /** Contains the server connection. Replaced when the session moves to another connection. */
  #conversation: Conversation
  /** The client's bytes that have not passed. */
  #pending: Buffer | undefined
  #serverIsFull = false
  #clientIsPaused = false
  /** The client has closed its sending side, and is served until the waiting bytes have passed. */
  #isFinishing = false
  /** Bytes wait for the server, and a timeout runs. */
  #isWaiting = false
  #hasReportedCondstore = false
  /** How long the bytes have waited, up to the last timeout. */
  #waitedMs = 0
  /** Since the last timeout, the server has sent bytes, or all bytes written to one of the peers have been sent. */
  #hasProgressed = false
  /** Bytes queued for the server at the last timeout. */
  #queuedForServer = 0
  #ended = false
  #lastActiveAt: number
  /** Bytes queued for both peers, at the last `lookForProgress`. */
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

  /** When bytes were last received from either side, or taken by a slow peer; coarse milliseconds. */
  get lastActiveAt(): number {
    return this.#lastActiveAt
  }

  /** Updates `lastActiveAt` if a slow peer has taken bytes since the last call. */
  lookForProgress(): void {
    const queuedBytes = this.#client.queuedBytes + this.#conversation.connection.link.queuedBytes
    if (queuedBytes > 0 && queuedBytes !== this.#queuedBytes) this.#lastActiveAt = this.#context.clock.now()
    this.#queuedBytes = queuedBytes
  }

  /** Releases held answers that the client has not asked for in time. */
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

  /** Changes when the session moves to another connection. */
  get connection(): ServerConnection {
    return this.#conversation.connection
  }

  /** The last command of the client that went to the server. Undefined before the first, and after a move. */
  get lastVerb(): Verb | undefined {
    return this.#conversation.lastVerb
  }

  /** How many commands of the client were answered ahead. */
  get aheadUsed(): number {
    return this.#ahead?.used ?? 0
  }

  /** `idling`: in IDLE. `between-commands`: no command is unanswered or incomplete. Otherwise `working`. */
  get phase(): 'idling' | 'between-commands' | 'working' {
    const { scanner, connection, isIdling, isAllAnswered } = this.#conversation
    if (this.#pending !== undefined || !connection.scanner.betweenResponses) return 'working'
    if (isIdling) return 'idling'
    return isAllAnswered && scanner.betweenCommands ? 'between-commands' : 'working'
  }

  /** The position in the stream of each direction, for a trace that begins now. */
  positions(): { C: ScanPosition; S: ScanPosition } {
    const { scanner, connection } = this.#conversation
    return { C: scanner.position, S: connection.scanner.position }
  }

  /**
   * @param ids ID commands of the edge, without tags and line ends. They are sent before any bytes of the client
   * @param early bytes that the client sent after its login command
   */
  start(ids: readonly string[], early: Buffer | undefined): void {
    const { connection } = this.#conversation
    this.#client.handler = new ClientSide(this)
    connection.setHandlers(this.#serverSide, this.#serverSide)
    // Either peer may have disconnected during the login. Its link does not report this again.
    if (!connection.link.isOpen) return this.end({ kind: 'upstream-gone', end: 'closed-by-peer' })
    if (!this.#client.isOpen) return this.end({ kind: 'client-gone', end: 'closed-by-peer' })
    // The link is paused if bytes arrived after the reply to the login.
    connection.link.resume()
    for (const id of ids) this.#sendOwn('ID', id)
    // The reply to the login had no capabilities. The reset needs to know whether the server has UNSELECT.
    if (connection.capabilities.length === 0) this.#sendOwn('CAPABILITY', 'CAPABILITY')
    if (early) this.fromClient(early)
  }

  /** Ends the session and tells the client. Only the first call has an effect. */
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

  /** Passes or answers as many of the pending bytes as the conversation allows. */
  #passPending(): void {
    const bytes = this.#pending
    if (bytes === undefined || this.#ended || this.#conversation.waitsFor === 'continuation') return
    let at = 0
    for (;;) {
      const startsCommand = this.#conversation.scanner.betweenCommands
      const passage = passCommands(bytes, at, this.#conversation)
      if (passage.to > at) this.#toServer(bytes, at, passage.to, startsCommand)
      at = passage.to
      if (passage.kind === 'passed') {
        // Written after the client's command, which does not wait for the choice of the questions.
        if (at === bytes.length) this.#writeAhead(this.#ahead?.ask())
        break
      }
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
    // Copy the rest, so that the memory of a large chunk is released.
    else if (at > 0) this.#pending = Buffer.from(bytes.subarray(at))
    if (this.#isFinishing && this.#conversation.waitsFor === undefined)
      this.end({ kind: 'client-gone', end: 'closed-by-peer' })
  }

  /** Starts or stops the timeout for bytes of the client that wait for the server. */
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
    this.#queuedForServer = this.#conversation.connection.link.queuedBytes
    timeouts.add(this, this.#waitMs)
  }

  get #waitMs(): number {
    const { replyTimeoutMs, resetTimeoutMs } = this.#context.settings.current.pool
    return this.#isFinishing ? resetTimeoutMs : replyTimeoutMs
  }

  /** The wait continues while data moves, for example a large mail, but not beyond `clients.idleTimeoutMs`. */
  onWaitTimeout(): void {
    this.#waitedMs += this.#waitMs
    // The edge does not read from the server while bytes are queued for the client. The server cannot answer a command that
    // it has not received, so it has more time as long as it takes bytes.
    const isBusy =
      this.#hasProgressed ||
      this.#client.queuedBytes > 0 ||
      this.#conversation.connection.link.queuedBytes < this.#queuedForServer
    if (isBusy && this.#waitedMs < this.#context.settings.current.clients.idleTimeoutMs) return this.#wait()
    if (this.#isFinishing) return this.end({ kind: 'client-gone', end: 'closed-by-peer' })
    if (this.#conversation.waitsFor === 'question' && this.#ahead?.giveUp()) {
      this.#passPending()
      this.#adjustWait()
      this.#adjustClient()
      if (this.#isWaiting) this.#wait()
      return
    }
    const pending = this.#pending!
    const logoutTag =
      this.#conversation.waitsFor === 'logout'
        ? pending.toString('latin1', 0, wordEnd(pending, 0, pending.length))
        : undefined
    this.end({ kind: 'reply-overdue', logoutTag })
  }

  #toServer(bytes: Buffer, from: number, to: number, startsCommand: boolean): void {
    const part = from === 0 && to === bytes.length ? bytes : bytes.subarray(from, to)
    this.tap?.fromClient(part, startsCommand)
    this.#write(part)
  }

  /** @param questions of answer-ahead, as protocol lines. Undefined or empty: there are none */
  #writeAhead(questions: string | undefined): void {
    if (questions) this.#write(questions)
  }

  #write(bytes: Buffer | string): void {
    if (!this.#conversation.connection.link.write(bytes)) this.#serverIsFull = true
  }

  /**
   * Sends a command of the edge. The client does not get its reply.
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

  /** Sends the client's ID to the server, without the page hints, which are for the edge. */
  #identify(pairs: IdPairs): void {
    this.#ahead?.identified(pairs)
    const rest = withoutPageHints(pairs)
    if (rest !== undefined) this.#sendOwn('ID', printId(rest))
  }

  /** Answers from a question that was asked ahead, as far as its answer has arrived. The rest streams. */
  #answerHeld(tag: string): void {
    const { bytes, isWithinResponse } = this.#ahead!.claim(tag)
    if (bytes.length > 0) this.toClient(bytes)
    if (isWithinResponse) this.#conversation.connection.scanner.passRest()
  }

  /**
   * ENABLE cannot be undone. Moves to an idle connection that has exactly these extensions, or enables them here: later
   * sessions that ask for them reuse this connection.
   */
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

  /** Moves the session to an idle connection with this key. False: there is none, and the session stays on its connection. */
  #move(enabledKey: string): boolean {
    const other = this.#calls.swap(enabledKey, this.#conversation.handBack('moved'))
    if (!other) return false
    this.#conversation = new Conversation(other, this.#context, this.#ahead)
    this.#serverIsFull = false
    other.setHandlers(this.#serverSide, this.#serverSide)
    return true
  }

  /** All bytes written to the server have been sent. */
  serverDrained(): void {
    this.#serverIsFull = false
    this.#hasProgressed = true
    this.#adjustClient()
  }

  /** Reads from the client only while the server takes its bytes and not too many bytes wait. */
  #adjustClient(): void {
    const pause = this.#serverIsFull || (this.#pending !== undefined && this.#isTooMuch(this.#pending))
    if (pause === this.#clientIsPaused) return
    this.#clientIsPaused = pause
    if (pause) this.#client.pause()
    else this.#client.resume()
  }

  /** Whether too many bytes wait. Bytes after a LOGOUT are dropped and do not count. */
  #isTooMuch(pending: Buffer): boolean {
    const { waitsFor } = this.#conversation
    return waitsFor !== undefined && waitsFor !== 'logout' && pending.length > pendingBytesMax
  }

  /**
   * The client has closed its sending side, but may still read. Commands that wait, such as a LOGOUT, are served first. A
   * client that has disconnected looks the same, so a timeout limits this.
   * @returns whether the session continues
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
    this.#writeAhead(this.#ahead?.askAgain())
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
   * Sends text of the edge to the client, unless the server is within a response: the client would read the text as part of
   * that response. Answers wait for their turn, so this only suppresses the BYE at the end of a session.
   */
  #say(text: string): void {
    const { connection } = this.#conversation
    if (!connection.scanner.betweenResponses) return
    this.tap?.fromServer(Buffer.from(text, 'latin1'))
    if (!this.#client.write(text)) connection.link.pause()
  }

  /** All bytes written to the client have been sent. */
  clientDrained(): void {
    this.#hasProgressed = true
    this.#conversation.connection.link.resume()
  }
}

/** Handles events of the client's link. One object per session replaces a closure for each event. */
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

/** Handles events of the server connection's link, and its responses. */
class ServerSide implements LinkHandler, ResponseSink {
  /** The scanner copies the bytes that it holds back, and the rest is written to the client immediately. */
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
