/**
 * Makes a used connection clean, and proves it. The reset waits for every reply to the last session, then sends a barrier: a
 * command with an unguessable tag, whose reply must be the last data that the server sends. Only answers to commands that were
 * sent behind the barrier may follow. Time and bytes are limited. If anything is uncertain, the result is `dirty`, and the pool
 * closes the connection.
 *
 * Only an OK proves that no mailbox is selected: servers differ on the state after a refused SELECT, EXAMINE or UNSELECT.
 *
 *   nothing selected, or a cached mailbox: NOOP ─▶ clean
 *   a mailbox may be selected: UNSELECT ─┬─ OK ─▶ clean
 *                                        └─ NO, BAD ─▶ EXAMINE INBOX ─ OK ─▶ UNSELECT ─ OK ─▶ clean
 *     the server has no UNSELECT:  EXAMINE INBOX ─ OK [READ-ONLY] ─▶ CLOSE ─ OK ─▶ clean
 */
import { hasTag, startsWithWord, wordEnd } from '../imap/bytes.ts'
import { capabilitiesIn, hasUnselect } from '../imap/capability.ts'
import type { LineVerdict, ResponseKind, ResponseSink } from '../imap/response-scanner.ts'
import { reportsMailboxChange, untaggedAt } from '../imap/response-facts.ts'
import { Linked } from '../linked-members.ts'
import type { LinkEnd, LinkHandler } from '../net/link.ts'
import { CoarseTimeouts } from './coarse-timeouts.ts'
import { randomName } from './random-name.ts'
import type { SpoilReason, ServerConnection } from './server-connection.ts'

export type DirtyReason =
  | SpoilReason
  | LinkEnd
  | 'barrier-timed-out'
  | 'barrier-too-long'
  | 'barrier-refused'
  /** The server did not confirm that no mailbox is selected. */
  | 'cannot-deselect'

export type ResetResult = { kind: 'clean' } | { kind: 'dirty'; reason: DirtyReason }

/** What the session left unfinished. */
export interface Leftovers {
  /** Tags that the server has not answered. */
  unanswered: readonly string[]
  /** The server is in IDLE and waits for DONE (RFC 2177). */
  idling: boolean
  /** The server has answered BAD, so the barrier must prove that the user is still logged in. */
  hadBad: boolean
}

/** Why the connection of a session may not be reset; a label value of `reuse_refused_total`. */
export type HandBackRefusal =
  | 'upstream-gone'
  | 'reply-overdue'
  | 'mailbox-lost'
  | 'failed-here'
  | 'open-line'
  | 'open-literal'
  | 'open-continuation'
  | 'extensions-enabled'
  | 'extensions-uncertain'
  | 'kicked'
  | 'shutdown'
  | SpoilReason

/** What a session gives back: its connection, and what is needed to reset it. */
export interface HandBack extends Leftovers {
  connection: ServerConnection
  /** Undefined: it may be reset and reused. */
  refusal: HandBackRefusal | undefined
  /** Whether the client has sent a command that enables CONDSTORE. Undefined: its session continues. */
  usesCondstore: boolean | undefined
}

export interface ResetLimits {
  timeoutMs: number
  bytesMax: number
  /** Called for every ALERT, which must be shown to a person (RFC 9051 7.1). */
  onAlert?: (line: string) => void
}

/**
 * Commands that are sent behind the barrier, for the login that waits for the connection. They do not depend on the state that a
 * session leaves, and change nothing. Their answers may arrive before the reply to the barrier, or after the reset.
 */
export interface Followers {
  /** Returns the commands, with tags and line ends, which are sent immediately. */
  send(): string
  /** Takes an untagged response, from `start` to its line feed at `end`. False: it answers none of the commands. */
  takeUntagged(bytes: Buffer, start: number, end: number): boolean
  /** Bytes of the response that was taken last, first line included. They are valid only during the call. */
  onKept(bytes: Buffer): void
  /** Takes a tagged reply. False: it answers none of the commands. */
  takeTagged(bytes: Buffer, start: number, end: number): boolean
}

/** A reset that has begun. */
export interface RunningReset {
  /** Always settles. The connection must not be used until then. */
  readonly result: Promise<ResetResult>
  /** Sends these commands behind the barrier, at most once. False: they were not sent. */
  follow(followers: Followers): boolean
}

/** For a connection that no session has used since its last reset, which only proves that it is alive and clean. */
export const nothingLeft: Leftovers = { unanswered: [], idling: false, hadBad: false }

export function beginReset(
  connection: ServerConnection,
  leftovers: Leftovers,
  limits: ResetLimits,
): RunningReset {
  const { promise, resolve } = Promise.withResolvers<ResetResult>()
  const running = new Reset(connection, leftovers, limits, resolve)
  running.start()
  return { result: promise, follow: (followers) => running.follow(followers) }
}

/** Always settles. The connection must not be used until then. */
export const reset = (
  connection: ServerConnection,
  leftovers: Leftovers,
  limits: ResetLimits,
): Promise<ResetResult> => beginReset(connection, leftovers, limits).result

const timeouts = new CoarseTimeouts<Reset>((expired) => expired.onTimeout())

/** What the reset waits for: `replies` to the last session, or the reply to the `barrier`. `answered`: no more data may follow. */
type Step = 'replies' | 'barrier' | 'answered' | 'done'

/**
 * NOOP and LIST leave a mailbox selected, for the select cache. LIST requires a logged-in user, and returns only the hierarchy
 * delimiter. EXAMINE opens INBOX, which always exists.
 */
type BarrierCommand = 'NOOP' | 'LIST' | 'UNSELECT' | 'EXAMINE' | 'CLOSE'

const argumentsOf: Partial<Record<BarrierCommand, string>> = { EXAMINE: ' INBOX', LIST: ' "" ""' }

interface Barrier {
  readonly tag: string
  readonly command: BarrierCommand
}

/** ALERT may be in a response with any status (RFC 9051 7.1). */
const isAlert = (bytes: Uint8Array, at: number, end: number): boolean =>
  startsWithWord(bytes, wordEnd(bytes, at, end), ' [ALERT]')

class Reset extends Linked<Reset> implements LinkHandler, ResponseSink {
  readonly #connection: ServerConnection
  readonly #limits: ResetLimits
  readonly #settle: (result: ResetResult) => void
  readonly #unanswered: string[]
  readonly #idling: boolean
  #hadBad: boolean
  #bytes = 0
  #step: Step = 'replies'
  /** The last barrier that was sent. */
  #barrier: Barrier | undefined
  /** INBOX has been opened by EXAMINE. */
  #hasExamined = false
  /** Commands that were sent behind the barrier. */
  #followers: Followers | undefined

  constructor(
    connection: ServerConnection,
    leftovers: Leftovers,
    limits: ResetLimits,
    settle: (result: ResetResult) => void,
  ) {
    super()
    this.#connection = connection
    this.#limits = limits
    this.#settle = settle
    this.#unanswered = [...leftovers.unanswered]
    this.#idling = leftovers.idling
    this.#hadBad = leftovers.hadBad
  }

  start(): void {
    // A link that has ended does not report its end again.
    if (!this.#connection.link.isOpen) return this.#finish('closed-by-peer')
    timeouts.add(this, this.#limits.timeoutMs)
    this.#connection.setHandlers(this, this)
    this.#connection.link.resume()
    if (this.#idling) this.#connection.link.write('DONE\r\n')
    if (this.#unanswered.length === 0) this.#sendBarrier()
  }

  #sendBarrier(): void {
    const { mailbox, capabilities } = this.#connection
    if (mailbox !== 'selected') this.#send(this.#hadBad ? 'LIST' : 'NOOP')
    else this.#send(hasUnselect(capabilities) ? 'UNSELECT' : 'EXAMINE')
  }

  #send(command: BarrierCommand): void {
    const tag = randomName('R')
    this.#step = 'barrier'
    this.#barrier = { tag, command }
    this.#connection.link.write(`${tag} ${command}${argumentsOf[command] ?? ''}\r\n`)
  }

  /**
   * No commands follow a LIST barrier, because its response looks like that to a client's LIST. None follow if a mailbox stays
   * selected, because a change of it needs another barrier.
   */
  follow(followers: Followers): boolean {
    if (this.#step !== 'barrier' || this.#barrier!.command === 'LIST') return false
    if (this.#followers !== undefined || this.#connection.selectAnswer !== undefined) return false
    this.#followers = followers
    this.#connection.link.write(followers.send())
    return true
  }

  onTimeout(): void {
    this.#finish('barrier-timed-out')
  }

  onEnd(end: LinkEnd): void {
    this.#finish(end)
  }

  onPass(): void {}

  onKept(bytes: Buffer): void {
    this.#followers?.onKept(bytes)
  }

  onData(bytes: Buffer): void {
    this.#bytes += bytes.length
    if (this.#bytes > this.#limits.bytesMax) return this.#finish('barrier-too-long')
    this.#connection.scanner.scan(bytes)
    if (this.#step !== 'answered') return
    const { mailbox, scanner } = this.#connection
    // The rest of an answer to a follower arrives.
    if (!scanner.atBoundary && this.#followers !== undefined) return
    if (!scanner.atBoundary) this.#finish('data-after-barrier')
    // The mailbox changed during the proof, so the select cache cannot use it. Another barrier deselects it.
    else if (mailbox === 'selected') this.#sendBarrier()
    else this.#finish(undefined)
  }

  onResponse(kind: ResponseKind, bytes: Buffer, start: number, end: number): LineVerdict {
    if (this.#step === 'done') return 'omit'
    if (this.#followers !== undefined) {
      if (kind === 'untagged' && this.#followers.takeUntagged(bytes, start, end)) return 'keep'
      if (kind === 'tagged' && this.#followers.takeTagged(bytes, start, end)) return 'omit'
    }
    if (this.#step === 'answered') this.#finish('data-after-barrier')
    else if (kind === 'untagged') this.#onUntagged(bytes, start, end)
    else if (kind === 'continuation') this.#finish('unexpected-continuation')
    else this.#onTagged(bytes, start, end)
    return 'omit'
  }

  #onUntagged(bytes: Buffer, start: number, end: number): void {
    const at = untaggedAt(bytes, start)
    if (reportsMailboxChange(bytes, at, false)) this.#connection.forgetSelect()
    if (startsWithWord(bytes, at, 'BYE')) this.#finish('server-said-bye')
    // The answer to the edge's CAPABILITY, if the session ended before. The list may have UNSELECT.
    else if (startsWithWord(bytes, at, 'CAPABILITY')) {
      const capabilities = capabilitiesIn(bytes.toString('latin1', start, end))
      if (capabilities) this.#connection.learnCapabilities(capabilities)
    } else if (isAlert(bytes, at, end)) this.#limits.onAlert?.(bytes.toString('latin1', start, end))
  }

  #onTagged(bytes: Buffer, start: number, end: number): void {
    if (this.#step === 'barrier') return this.#onBarrierReply(this.#barrier!, bytes, start, end)
    const index = this.#unanswered.findIndex((tag) => hasTag(bytes, start, end, tag))
    if (index < 0) return this.#finish('unexpected-reply')
    const statusAt = start + this.#unanswered[index]!.length + 1
    if (!startsWithWord(bytes, statusAt, 'OK') && !startsWithWord(bytes, statusAt, 'NO')) this.#hadBad = true
    this.#unanswered.splice(index, 1)
    if (this.#unanswered.length === 0) this.#sendBarrier()
  }

  #onBarrierReply({ tag, command }: Barrier, bytes: Buffer, start: number, end: number): void {
    if (!hasTag(bytes, start, end, tag)) return this.#finish('unexpected-reply')
    const at = start + tag.length + 1
    const isOk = startsWithWord(bytes, at, 'OK') && wordEnd(bytes, at, end) === at + 2
    switch (command) {
      case 'NOOP':
      case 'LIST':
        if (!isOk) return this.#finish('barrier-refused')
        break
      case 'UNSELECT':
        // Servers also refuse UNSELECT if no mailbox is selected, in different words (`BAD No mailbox selected.`).
        if (!isOk) return this.#hasExamined ? this.#finish('cannot-deselect') : this.#send('EXAMINE')
        this.#connection.mailboxLeft()
        break
      case 'EXAMINE':
        return isOk ? this.#leaveInbox(bytes, at) : this.#finish('cannot-deselect')
      case 'CLOSE':
        if (!isOk) return this.#finish('cannot-deselect')
        this.#connection.mailboxLeft()
        break
    }
    this.#step = 'answered'
  }

  /**
   * EXAMINE has selected INBOX. CLOSE expunges a mailbox unless it is read-only (RFC 9051 6.4.1), so CLOSE is sent only after
   * the server has confirmed READ-ONLY.
   * @param at where the status of the reply to EXAMINE begins
   */
  #leaveInbox(bytes: Buffer, at: number): void {
    this.#hasExamined = true
    if (hasUnselect(this.#connection.capabilities)) this.#send('UNSELECT')
    else if (startsWithWord(bytes, at, 'OK [READ-ONLY]')) this.#send('CLOSE')
    else this.#finish('cannot-deselect')
  }

  #finish(reason: DirtyReason | undefined): void {
    if (this.#step === 'done') return
    this.#step = 'done'
    timeouts.remove(this)
    // More bytes may arrive before the next handler is set. The pool then finds the spoil reason.
    const onData = () => this.#connection.spoil('data-after-barrier')
    this.#connection.link.handler = { onData, onEnd() {} }
    this.#settle(reason === undefined ? { kind: 'clean' } : { kind: 'dirty', reason })
  }
}
