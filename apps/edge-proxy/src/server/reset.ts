/**
 * Makes a used connection clean and proves it: every earlier reply is awaited, then a barrier, a command with a tag that
 * nobody can guess, must be answered with exactly that tag and nothing behind it. Bounded in time and bytes. Whatever
 * is not certain ends in `dirty`, and the pool closes the connection.
 */
import { hasTag, startsWithWord, wordEnd } from '../imap/bytes.ts'
import { hasUnselect } from '../imap/capability.ts'
import type { LineVerdict, ResponseKind, ResponseSink } from '../imap/response-scanner.ts'
import { reportsMailboxChange } from '../imap/response-facts.ts'
import type { LinkEnd, LinkHandler } from '../net/link.ts'
import { Deadlines, type Limited } from './deadlines.ts'
import { randomName } from './random-tag.ts'
import type { SpoilReason, ServerConnection } from './server-connection.ts'

export type DirtyReason = SpoilReason | LinkEnd | 'barrier-timed-out' | 'barrier-too-long' | 'barrier-refused'

export type ResetResult = { kind: 'clean' } | { kind: 'dirty'; reason: DirtyReason }

/** What a session has left open. */
export interface Leftovers {
  /** Tags sent up and not answered yet. */
  unanswered: readonly string[]
  /** The server waits for DONE (RFC 2177). */
  idling: boolean
}

export interface ResetLimits {
  timeoutMs: number
  bytesMax: number
  /** Told of every ALERT, which RFC 9051 7.1 wants a person to see. */
  onAlert?: (line: string) => void
}

export const nothingLeft: Leftovers = { unanswered: [], idling: false }

/** Resets `upstream`; the caller owns it again when the promise settles, which it always does. */
export function reset(
  upstream: ServerConnection,
  leftovers: Leftovers,
  limits: ResetLimits,
): Promise<ResetResult> {
  return new Promise((resolve) => new Reset(upstream, leftovers, limits, resolve).begin())
}

/** A reset of a connection that nobody has used: only the proof that it is alive. */
export function prove(upstream: ServerConnection, limits: ResetLimits): Promise<ResetResult> {
  return reset(upstream, nothingLeft, limits)
}

const deadlines = new Deadlines()

class Reset implements LinkHandler, ResponseSink, Limited {
  readonly #upstream: ServerConnection
  readonly #limits: ResetLimits
  readonly #settle: (result: ResetResult) => void
  readonly #unanswered: string[]
  readonly #idling: boolean
  #bytes = 0
  #tag = ''
  /** The barrier is an EXAMINE of a mailbox that cannot exist: it deselects by failing (RFC 9051 6.3.2). */
  #wantsNo = false
  #answered = false
  /** The barrier leaves no mailbox selected; otherwise the one that is selected stays so, for the SELECT cache. */
  #unselects = false
  #done = false

  constructor(
    upstream: ServerConnection,
    leftovers: Leftovers,
    limits: ResetLimits,
    settle: (result: ResetResult) => void,
  ) {
    this.#upstream = upstream
    this.#limits = limits
    this.#settle = settle
    this.#unanswered = [...leftovers.unanswered]
    this.#idling = leftovers.idling
  }

  begin(): void {
    // Nobody would tell: its end has been told already.
    if (!this.#upstream.link.isOpen) return this.#finish('closed-by-peer')
    deadlines.add(this, this.#limits.timeoutMs)
    this.#upstream.hand(this, this)
    this.#upstream.link.resume()
    if (this.#idling) this.#upstream.link.write('DONE\r\n')
    if (this.#unanswered.length === 0) this.#raise()
  }

  /** Sends the barrier. Never CLOSE: it expunges. */
  #raise(): void {
    const { session, capabilities, link, selection } = this.#upstream
    this.#tag = randomName('R')
    this.#unselects = session.selected && selection === undefined
    if (!this.#unselects) link.write(`${this.#tag} NOOP\r\n`)
    else if (hasUnselect(capabilities)) link.write(`${this.#tag} UNSELECT\r\n`)
    else {
      this.#wantsNo = true
      link.write(`${this.#tag} EXAMINE ${randomName('imapfleet-none-')}\r\n`)
    }
  }

  onDeadline(): void {
    this.#finish('barrier-timed-out')
  }

  onDrain(): void {}

  onEnd(end: LinkEnd): void {
    this.#finish(end)
  }

  onPass(): void {}

  onData(bytes: Buffer): void {
    this.#bytes += bytes.length
    if (this.#bytes > this.#limits.bytesMax) return this.#finish('barrier-too-long')
    this.#upstream.scanner.scan(bytes)
    if (this.#done || !this.#answered) return
    const { session, selection, scanner } = this.#upstream
    if (!scanner.atBoundary) return this.#finish('data-after-barrier')
    if (this.#unselects || !session.selected || selection !== undefined) return this.#finish(undefined)
    // The mailbox has changed while it was proven: there is nothing left to keep it selected for.
    this.#answered = false
    this.#raise()
  }

  onResponse(kind: ResponseKind, bytes: Buffer, start: number, end: number): LineVerdict {
    if (this.#done) return 'omit'
    if (this.#answered) this.#finish('data-after-barrier')
    else if (kind === 'untagged') this.#onUntagged(bytes, start, end)
    else if (kind === 'continuation') this.#finish('unexpected-continuation')
    else this.#onTagged(bytes, start, end)
    return 'omit'
  }

  #onUntagged(bytes: Buffer, start: number, end: number): void {
    if (reportsMailboxChange(bytes, start + 2, false)) this.#upstream.selection = undefined
    if (startsWithWord(bytes, start + 2, 'BYE')) this.#finish('server-said-bye')
    else if (startsWithWord(bytes, start + 2, 'OK [ALERT]'))
      this.#limits.onAlert?.(bytes.toString('latin1', start, end))
  }

  #onTagged(bytes: Buffer, start: number, end: number): void {
    if (this.#tag !== '' && hasTag(bytes, start, end, this.#tag)) {
      const at = start + this.#tag.length + 1
      const isWanted =
        startsWithWord(bytes, at, this.#wantsNo ? 'NO' : 'OK') && wordEnd(bytes, at, end) === at + 2
      if (!isWanted) return this.#finish('barrier-refused')
      this.#answered = true
      return
    }
    const index = this.#unanswered.findIndex((tag) => hasTag(bytes, start, end, tag))
    if (index < 0) return this.#finish('unexpected-reply')
    this.#unanswered.splice(index, 1)
    if (this.#unanswered.length === 0) this.#raise()
  }

  #finish(reason: DirtyReason | undefined): void {
    if (this.#done) return
    this.#done = true
    deadlines.remove(this)
    // More bytes may arrive before the next owner takes over. The owner checks the spoil reason.
    const late = () => this.#upstream.spoil('data-after-barrier')
    this.#upstream.link.handler = { onData: late, onDrain() {}, onEnd() {} }
    if (reason === undefined && this.#unselects) this.#upstream.session.selected = false
    this.#settle(reason === undefined ? { kind: 'clean' } : { kind: 'dirty', reason })
  }
}
