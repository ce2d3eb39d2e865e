/**
 * Joins a logged-in client to its upstream until the session ends, with backpressure both ways. Plain callbacks: no
 * promise, no string and no copy a line on this path.
 */
import { printAfterLogin } from '../imap/capability.ts'
import { parseId, printId } from '../imap/id.ts'
import type { LineVerdict, ResponseKind } from '../imap/response-scanner.ts'
import type { CommandHead, Verb } from '../imap/verb.ts'
import type { Link } from '../net/link.ts'
import { randomName } from '../server/random-tag.ts'
import type { ServerConnection } from '../server/server-connection.ts'
import type { SpliceContext, SpliceOwner, Tap } from './context.ts'
import { passCommands, type Answered, type AnswerVerdict, type CommandSink } from './commands.ts'
import { Conversation } from './conversation.ts'
import type { Ending, HandBack, Violation } from './ending.ts'
import type { Sent } from './outstanding.ts'
import { ClientEnd, ServerEnd } from './ends.ts'
import { judgeResponse, type ReplyListener } from './replies.ts'

const pendingBytesMax = 65_536
const lineEnd = Buffer.from('\r\n')

export class Splice implements CommandSink, ReplyListener {
  readonly #client: Link
  readonly #context: SpliceContext
  readonly #owner: SpliceOwner
  #upstream: ServerConnection
  #talk: Conversation
  /** Client bytes not yet passed on. */
  #pending: Buffer | undefined
  #upstreamIsFull = false
  #clientIsPaused = false
  #clientHasFinished = false
  /** How long a client that has shut down its sending side is taken to be there still. */
  #patience: NodeJS.Timeout | undefined
  #ended = false
  /** The session's trace, while its user is traced. */
  tap: Tap | undefined
  /** When a byte last went either way. */
  lastActiveAt: number

  constructor(client: Link, upstream: ServerConnection, context: SpliceContext, owner: SpliceOwner) {
    this.#client = client
    this.#upstream = upstream
    this.#context = context
    this.#owner = owner
    this.#talk = new Conversation(upstream)
    this.lastActiveAt = context.now()
  }

  /**
   * @param ids ID commands of the edge's own; they go up before anything of the client, which may end in half a command
   * @param early what the client has sent behind its login
   */
  start(ids: readonly string[], early: Buffer | undefined): void {
    this.#client.handler = new ClientEnd(this)
    this.#listenUpstream()
    // Either end may have gone while the login was under way: nobody would tell.
    if (!this.#upstream.link.isOpen) return this.end({ kind: 'upstream-gone', end: 'closed-by-peer' })
    if (!this.#client.isOpen) return this.end({ kind: 'client-gone', end: 'closed-by-peer' })
    for (const id of ids) this.sendOwn('ID', id)
    if (early) this.fromClient(early)
  }

  /**
   * Sends a command of the edge's own, where one may stand; the client never sees its reply.
   * @param command without its tag, line end included, in ISO 8859-1
   */
  sendOwn(verb: Verb, command: string): Sent {
    const sent = this.#talk.sent(randomName('E'), verb, true)
    this.#upstream.link.write(`${sent.tag} ${command}`)
    return sent
  }

  /** Ends the session; the first ending counts. */
  end(ending: Ending): void {
    if (this.#ended) return
    this.#ended = true
    clearTimeout(this.#patience)
    this.#owner.onEnd(ending)
  }

  handBack(ending: Ending): HandBack {
    return this.#talk.handBack(ending)
  }

  /** Bytes of a literal that are still to come from either side. */
  literalsLeft(): { C: number; S: number } {
    return { C: this.#talk.literal, S: this.#upstream.scanner.literalLeft }
  }

  #listenUpstream(): void {
    const end = new ServerEnd(this)
    this.#upstream.hand(end, end)
  }

  fromClient(bytes: Buffer): void {
    this.lastActiveAt = this.#context.now()
    this.#context.counters.client_bytes_total.value += bytes.length
    if (this.#talk.isLeaving) return
    this.#pending = this.#pending ? Buffer.concat([this.#pending, bytes]) : bytes
    if (this.#talk.blocked !== 'continuation') this.#passPending()
    this.#adjustClient()
  }

  #passPending(): void {
    while (this.#pending !== undefined && !this.#ended) {
      const bytes = this.#pending
      const talk = this.#talk
      const dealtWith = passCommands(bytes, talk, this.#context.options(), this)
      if (dealtWith < 0) return
      // A copy of a small rest lets go of the large chunk.
      if (dealtWith > 0)
        this.#pending = dealtWith === bytes.length ? undefined : Buffer.from(bytes.subarray(dealtWith))
      // On another connection the rest is looked at anew.
      if (talk === this.#talk) break
    }
    if (this.#clientHasFinished && this.#talk.blocked === undefined)
      this.end({ kind: 'client-gone', end: 'closed-by-peer' })
  }

  /** CommandSink: these bytes go to the server. */
  onPass(bytes: Buffer, from: number, to: number): void {
    const part = from === 0 && to === bytes.length ? bytes : bytes.subarray(from, to)
    this.tap?.fromClient(part)
    if (!this.#upstream.link.write(part)) this.#upstreamIsFull = true
  }

  onAnswer(policy: Answered, head: CommandHead, line: Buffer, lineStart: number): AnswerVerdict {
    const verbStart = head.verbStart - lineStart
    const verbEnd = head.verbEnd - lineStart
    // A refused second LOGIN holds a password: of what is not passed on, a trace shows the verb.
    this.tap?.fromClient(Buffer.concat([line.subarray(0, verbEnd), lineEnd]))
    return this.#answer(policy, line.toString('latin1', 0, head.tagEnd - lineStart), line, {
      verbStart,
      verbEnd,
    })
  }

  onViolation(reason: Violation): void {
    this.end({ kind: 'violation', reason })
  }

  #answer(
    policy: Answered,
    tag: string,
    line: Buffer,
    verb: { verbStart: number; verbEnd: number },
  ): AnswerVerdict {
    if (policy.kind === 'refuse') {
      this.#say(`${policy.text === 'Invalid tag' ? '*' : tag} BAD ${policy.text}`)
      return 'answered'
    }
    const { counters } = this.#context
    switch (policy.what) {
      case 'logout':
        counters.round_trips_saved_total.value++
        this.end({ kind: 'logout', tag })
        return 'ended'
      case 'id': {
        const pairs = parseId(line, verb.verbEnd)
        if (pairs === undefined) return 'pass'
        counters.round_trips_saved_total.value++
        this.#say(`* ID NIL\r\n${tag} OK Completed`)
        this.sendOwn('ID', printId(pairs))
        return 'answered'
      }
      case 'capability': {
        const { capabilities } = this.#upstream
        if (capabilities.length === 0) return 'pass'
        counters.round_trips_saved_total.value++
        this.#say(`* CAPABILITY ${printAfterLogin(capabilities)}\r\n${tag} OK Completed`)
        return 'answered'
      }
      case 'select': {
        const { lines, ok } = this.#upstream.selection!
        counters.select_cache_hits_total.value++
        this.toClient(Buffer.from(`${lines}${tag} ${ok}\r\n`, 'latin1'))
        return 'answered'
      }
      case 'enable':
        return this.#enable(tag, line.toString('latin1', verb.verbStart))
    }
  }

  /** ENABLE has no way back: the session is moved to a connection that has it, or this one is kept apart from now on. */
  #enable(tag: string, command: string): AnswerVerdict {
    const { session } = this.#upstream
    const key = [...new Set(command.toUpperCase().match(/\S+/g)?.slice(1))].sort().join(' ')
    if (key === '' || session.enabled.size > 0 || session.selected) {
      session.enabledBy = undefined
      return 'pass'
    }
    const twin = this.#owner.exchange(key, this.#talk.handBack({ kind: 'logout', tag }))
    if (!twin) {
      session.enabledBy = key
      this.#talk.enabling = this.#talk.sent(tag, 'ENABLE', false)
      this.#upstream.link.write(`${tag} ENABLE ${key}\r\n`)
      return 'answered'
    }
    this.#upstream = twin
    this.#talk = new Conversation(twin)
    this.#upstreamIsFull = false
    this.#listenUpstream()
    this.#context.counters.round_trips_saved_total.value++
    this.#say(`* ENABLED ${[...twin.session.enabled].join(' ')}\r\n${tag} OK Completed`)
    return 'moved'
  }

  /** The first command on a connection whose mailbox is still selected. */
  onKept(key: string | undefined): void {
    const talk = this.#talk
    const { selection } = this.#upstream
    const { selectCache, selectCacheWindowMs } = this.#context.options()
    if (selection === undefined || selection.key !== key || selectCache === 'off') {
      if (key !== undefined && selectCache !== 'off') this.#context.counters.select_cache_misses_total.value++
      talk.kept = 'changed'
      this.#upstream.selection = undefined
      // Whatever comes, it must not find a mailbox selected. Nobody waits for the reply.
      talk.unselecting = this.sendOwn('UNSELECT', 'UNSELECT\r\n')
    } else if (selectCache === 'window') {
      talk.kept = this.#context.now() - selection.at <= selectCacheWindowMs ? 'same' : 'changed'
      if (talk.kept === 'same') this.#context.counters.round_trips_saved_total.value++
      else this.#context.counters.select_cache_misses_total.value++
    } else {
      talk.kept = 'asked'
      this.sendOwn('NOOP', 'NOOP\r\n')
    }
  }

  fromUpstream(bytes: Buffer): void {
    this.lastActiveAt = this.#context.now()
    this.#context.counters.upstream_bytes_total.value += bytes.length
    this.#upstream.scanner.scan(bytes)
    if (this.#pending !== undefined && this.#talk.blocked !== 'continuation') this.#passPending()
    this.#adjustClient()
  }

  /** ReplyListener: a command of the edge's own has been answered. */
  onOwnReply(sent: Sent, ok: boolean, text: string): void {
    if (sent.verb === 'NOOP') {
      const isSame = ok && this.#upstream.selection !== undefined
      this.#talk.kept = isSame ? 'same' : 'changed'
      if (!isSame) this.#context.counters.select_cache_misses_total.value++
    } else if (!ok) this.#context.onOwnRefused(sent.verb, text)
  }

  now(): number {
    return this.#context.now()
  }

  /** The client has shut down its sending side; replies that it still waits for before its LOGOUT are delivered. */
  clientFinishes(): boolean {
    if (this.#talk.blocked === undefined || this.#pending === undefined) return false
    this.#clientHasFinished = true
    // One that has gone for good looks the same.
    const gone = () => this.end({ kind: 'client-gone', end: 'closed-by-peer' })
    this.#patience = setTimeout(gone, this.#context.options().resetTimeoutMs)
    return true
  }

  #say(text: string): void {
    this.toClient(Buffer.from(`${text}\r\n`, 'latin1'))
  }

  toClient(bytes: Buffer): void {
    this.tap?.fromServer(bytes)
    if (!this.#client.write(bytes)) this.#upstream.link.pause()
  }

  onResponse(kind: ResponseKind, bytes: Buffer, start: number, end: number): LineVerdict {
    return judgeResponse(this.#talk, kind, bytes, start, end, this)
  }

  clientDrained(): void {
    this.#upstream.link.resume()
  }

  upstreamDrained(): void {
    this.#upstreamIsFull = false
    this.#adjustClient()
  }

  /** The client is read while the server takes what it sends and not too much waits for its turn. */
  #adjustClient(): void {
    const tooMuch =
      this.#talk.blocked !== undefined &&
      !this.#talk.isLeaving &&
      (this.#pending?.length ?? 0) > pendingBytesMax
    const pause = this.#upstreamIsFull || tooMuch
    if (pause === this.#clientIsPaused) return
    this.#clientIsPaused = pause
    if (pause) this.#client.pause()
    else this.#client.resume()
  }
}
