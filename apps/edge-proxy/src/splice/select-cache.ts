/**
 * The select cache of one conversation: the server's answer to a SELECT is kept with the connection, and a later session
 * that begins with the same SELECT gets it. This is safe for two reasons. Any command or response that may change the mailbox
 * removes the answer. A mailbox that is still selected is verified (NOOP) or left (UNSELECT) before it can affect the next
 * session.
 *
 *   inherited selection: unverified ─┬─ same SELECT, `exact`: NOOP ──▶ verifying ──▶ unchanged or changed ──▶ none
 *                                    ├─ same SELECT, `window` ─────────────────────▶ unchanged or changed ──▶ none
 *                                    └─ any other command: UNSELECT ──────────────────────────────▶ changed ──▶ none
 */
import type { PoolConfig } from '@imapfleet/config'
import type { EdgeMetrics } from '@imapfleet/observe'
import { containsWord, startsWithWord } from '../imap/bytes.ts'
import { hasUnselect } from '../imap/capability.ts'
import { reportsMailboxChange, untaggedAt } from '../imap/response-facts.ts'
import { mayReturn, maySelect, type Verb } from '../imap/verb.ts'
import type { ServerConnection } from '../server/server-connection.ts'

/** State of the mailbox that an earlier session left selected, until this session's first command goes to the server. */
export type InheritedSelection = 'none' | 'unverified' | 'verifying' | 'unchanged' | 'changed'

/** What to do with the first command of a session. */
export type CacheVerdict =
  | 'pass'
  /** Answer it from the cache. */
  | 'answer'
  /** Wait for the answer to the NOOP. */
  | 'wait'
  /** Send this command of the edge first, then call `admit` again. */
  | 'NOOP'
  | 'UNSELECT'

/** An answer to SELECT that is being recorded. */
export interface Recording {
  key: string
  lines: string[]
  bytes: number
}

export interface SelectCacheContext {
  readonly metrics: Pick<EdgeMetrics, 'counters'>
  readonly clock: { now(): number }
}

type CachePolicy = Pick<PoolConfig, 'selectCache' | 'selectCacheWindowMs'>

const recordedBytesMax = 32_768

export class SelectCache {
  readonly #connection: ServerConnection
  readonly #context: SelectCacheContext
  #inherited: InheritedSelection
  /** The edge's UNSELECT is unanswered. Until its reply, reports about the mailbox are not for this client. */
  #unselecting = false
  #recording: Recording | undefined

  constructor(connection: ServerConnection, context: SelectCacheContext) {
    this.#connection = connection
    this.#context = context
    this.#inherited = connection.mailbox === 'none' ? 'none' : 'unverified'
  }

  /** Whether an earlier session left a mailbox selected, and this session has sent no command yet. */
  get isUntouched(): boolean {
    return this.#inherited === 'unverified'
  }

  get hasInherited(): boolean {
    return this.#inherited !== 'none'
  }

  /** If false, `onUntagged` need not be called. */
  get isListening(): boolean {
    return (
      this.#connection.selectAnswer !== undefined ||
      this.#inherited !== 'none' ||
      this.#recording !== undefined ||
      this.#unselecting
    )
  }

  /**
   * Decides on a client's command that would go to the server while a selection is inherited.
   * @param key `selectionKey` of the command; undefined if the cache is off
   */
  admit(key: string | undefined, policy: CachePolicy): CacheVerdict {
    if (this.#inherited === 'unverified') {
      const first = this.#verify(key, policy)
      if (first !== undefined) return first
    }
    if (this.#inherited === 'verifying') return 'wait'
    // A change may have been reported since the reply to the NOOP, which removes the answer.
    if (this.#inherited === 'unchanged' && this.#connection.selectAnswer !== undefined) return 'answer'
    this.#inherited = 'none'
    return 'pass'
  }

  #verify(key: string | undefined, policy: CachePolicy): 'NOOP' | 'UNSELECT' | undefined {
    const { selectAnswer } = this.#connection
    if (selectAnswer === undefined || selectAnswer.key !== key) {
      this.leave()
      return 'UNSELECT'
    }
    if (policy.selectCache === 'exact') {
      this.#inherited = 'verifying'
      return 'NOOP'
    }
    const isFresh = this.#context.clock.now() - selectAnswer.at <= policy.selectCacheWindowMs
    this.#inherited = isFresh ? 'unchanged' : 'changed'
    if (isFresh) this.#context.metrics.counters.round_trips_saved_total.value++
    return undefined
  }

  /** An UNSELECT of the edge goes to the server. The next command need not wait for its reply: the server runs them in order. */
  leave(): void {
    this.#inherited = 'changed'
    this.#connection.forgetSelect()
    this.#unselecting = true
  }

  /** Answers the SELECT, after `admit` returned 'answer'. */
  answer(tag: string): string {
    const { lines, ok } = this.#connection.selectAnswer!
    this.#inherited = 'none'
    this.#context.metrics.counters.select_cache_hits_total.value++
    return `${lines}${tag} ${ok}\r\n`
  }

  /**
   * The first line of a client's command goes to the server.
   * @param key `selectionKey` of the command
   * @param isAlone whether every earlier command of the client has been answered
   */
  onCommand(
    key: string | undefined,
    verb: Verb,
    bytes: Buffer,
    from: number,
    to: number,
    isAlone: boolean,
  ): void {
    if (maySelect(verb)) this.#context.metrics.counters.select_cache_misses_total.value++
    if (mayChangeMailbox(verb, bytes, from, to)) this.#connection.forgetSelect()
    this.#recording =
      key !== undefined && isAlone && this.#mayHaveUnselect ? { key, lines: [], bytes: 0 } : undefined
  }

  /** A later session that begins differently needs UNSELECT. Until the server's capabilities are known, it is assumed to have it. */
  get #mayHaveUnselect(): boolean {
    const { capabilities } = this.#connection
    return capabilities.length === 0 || hasUnselect(capabilities)
  }

  /** Forgets the answer: the cache is off or the command is not parsed, so changes of the mailbox are not noticed. */
  forget(): void {
    this.#connection.forgetSelect()
    this.#recording = undefined
  }

  /**
   * An untagged response, from `start` to its line feed at `end`.
   * @param isFetchAsked whether an unanswered command asks for FETCH responses
   */
  onUntagged(bytes: Buffer, start: number, end: number, isFetchAsked: boolean): 'pass' | 'omit' {
    const at = untaggedAt(bytes, start)
    if (this.#inherited !== 'none' || this.#unselecting) {
      // The response is about a mailbox that this client has not selected. A status response may still be for the client.
      const isChange = reportsMailboxChange(bytes, at, false)
      if (isChange) this.#connection.forgetSelect()
      if (this.#inherited === 'verifying' || this.#unselecting) return 'omit'
      if (isChange && !startsWithWord(bytes, at, 'OK')) return 'omit'
    }
    if (this.#recording) {
      if (!record(this.#recording, bytes.toString('latin1', start, end + 1))) this.#recording = undefined
    } else if (this.#connection.selectAnswer && reportsMailboxChange(bytes, at, isFetchAsked))
      this.#connection.forgetSelect()
    return 'pass'
  }

  /** The edge's NOOP or UNSELECT has been answered. */
  onOwnReply(verb: Verb, ok: boolean): void {
    if (verb === 'UNSELECT') this.#unselecting = false
    if (verb !== 'NOOP') return
    const isUnchanged = ok && this.#connection.selectAnswer !== undefined
    this.#inherited = isUnchanged ? 'unchanged' : 'changed'
  }

  /** Whether the answer to the client's last command is being recorded. Its other commands have all been answered. */
  get isRecording(): boolean {
    return this.#recording !== undefined
  }

  /**
   * The recorded command has been answered.
   * @param text the tagged reply without its tag
   */
  onReply(ok: boolean, text: string): void {
    const { key, lines } = this.#recording!
    this.#recording = undefined
    if (ok && hasUnselect(this.#connection.capabilities) && !hasReports(lines))
      this.#connection.rememberSelect({
        key,
        lines: lines.join(''),
        ok: text.trimEnd(),
        at: this.#context.clock.now(),
      })
  }
}

/**
 * The key of a SELECT or EXAMINE in the cache. Undefined for commands that are not answered from the cache: SELECT with
 * parameters (RFC 4466) or literals, and other commands.
 */
export function selectionKey(
  verb: Verb,
  bytes: Buffer,
  verbEnd: number,
  lineFeed: number,
): string | undefined {
  if (!maySelect(verb)) return undefined
  const mailbox = bytes.toString('latin1', verbEnd, lineFeed).trim()
  return /^(?:"(?:[^"\\]|\\.)*"|[^\s"(){%*]+)$/.test(mailbox) ? `${verb} ${mailbox}` : undefined
}

/** Adds a line to a recording. False: the answer is too long or has a literal, and cannot be cached. */
export function record(recording: Recording, line: string): boolean {
  recording.bytes += line.length
  if (recording.bytes > recordedBytesMax || /\{\d+\}\r?\n$/.test(line)) return false
  // All lines before it are about the mailbox that the SELECT has left. The next client has left no mailbox (RFC 7162 3.2.11).
  if (/^\* +OK +\[CLOSED\]/i.test(line)) {
    recording.lines.length = 0
    return true
  }
  // The first SELECT removes the \Recent flag from the messages, so a second SELECT finds none (RFC 3501 2.3.2).
  recording.lines.push(line.replace(/^\* +\d+ RECENT/i, '* 0 RECENT'))
  return true
}

/** Whether some lines are not part of the answer to SELECT: reports about the mailbox that was left, or about a change. */
function hasReports(lines: readonly string[]): boolean {
  const counts = lines.filter((line) => /^\* +\d+ +EXISTS\b/i.test(line))
  return counts.length > 1 || lines.some((line) => /^\* +(?:\d+ +(?:EXPUNGE|FETCH)|VANISHED)\b/i.test(line))
}

/** Commands that do not change the mailbox. */
const harmless: ReadonlySet<Verb> = new Set<Verb>([
  'NOOP',
  'SEARCH',
  'SORT',
  'THREAD',
  'STATUS',
  'LIST',
  'CAPABILITY',
  'ID',
  'IDLE',
])

/**
 * Whether a command, from its tag to the end of its first line, may change what a later SELECT would answer, or leaves a search
 * result that the SELECT would remove (RFC 5182 2.1).
 */
export function mayChangeMailbox(verb: Verb, bytes: Buffer, from: number, to: number): boolean {
  if (mayReturn('SAVE', verb, bytes, from, to)) return true
  if (harmless.has(verb)) return false
  const isFetch = verb === 'FETCH' || (verb === 'UID' && containsWord(bytes, from, to, 'UID FETCH'))
  const isSearch =
    verb === 'UID' &&
    !isFetch &&
    /^\S+ +UID +(SEARCH|SORT|THREAD) /i.test(bytes.toString('latin1', from, Math.min(to, from + 200)))
  if (isSearch) return false
  // FETCH without PEEK sets \Seen (RFC 9051 6.4.5).
  return (
    !isFetch ||
    containsWord(bytes, from, to, 'BODY[') ||
    containsWord(bytes, from, to, 'RFC822') ||
    containsWord(bytes, from, to, 'BINARY[')
  )
}
