/**
 * The client's commands after login: which bytes may go to the server, which commands the edge answers or refuses, and which
 * state each command leaves on the connection. This file reports to the conversation what goes to the server. It sends
 * nothing itself: the splice acts on the returned values.
 */
import type { PoolConfig } from '@imapfleet/config'
import {
  BACKSLASH,
  CLOSE_PARENTHESIS,
  containsWord,
  CR,
  endsInQuotes,
  findByte,
  LF,
  SP,
  startsWithWord,
} from '../imap/bytes.ts'
import type { LineEnding } from '../imap/command-scanner.ts'
import { condstoreUse, hasCondstoreWord, type CondstoreUse } from '../imap/condstore.ts'
import { parseId, type IdPairs } from '../imap/id.ts'
import { literalSize } from '../imap/literal.ts'
import {
  commandHead,
  isTag,
  isVerb,
  mayReturn,
  maySearch,
  maySelect,
  type CommandHead,
  type Verb,
} from '../imap/verb.ts'
import type { SpoilReason } from '../server/server-connection.ts'
import type { Conversation } from './conversation.ts'
import type { Violation } from './ending.ts'
import { selectionKey } from './select-cache.ts'

/** How far the client's bytes may pass, and why they stop there. The bytes before `to` always go to the server. */
export type Passage =
  /** Pass the rest again when more bytes have arrived, or when the conversation has changed. */
  | { kind: 'passed'; to: number }
  /**
   * The edge answers the command from `to` to its line feed at `lineFeed` now. A trace shows the command up to `shownTo`.
   */
  | { kind: 'answer'; to: number; shownTo: number; lineFeed: number; tag: string; answer: Answer }
  /** The edge must send this command first, before the client's command at `to`. */
  | { kind: 'own-command'; to: number; verb: 'NOOP' | 'UNSELECT' }
  /** The command at `to` will enable CONDSTORE. First move to a connection that has CONDSTORE, if there is one. */
  | { kind: 'condstore'; to: number }
  /** The bytes cannot be parsed any further. */
  | { kind: 'violation'; to: number; reason: Violation }

export type Answer =
  | { kind: 'logout' }
  | { kind: 'capability' }
  /** `response`: what the server answers to ID, with its line end. */
  | { kind: 'id'; pairs: IdPairs; response: string }
  /** Upper case, sorted, separated by spaces; the connection has nothing enabled, and the session has selected nothing. */
  | { kind: 'enable'; extensions: string }
  /** From the SELECT cache. */
  | { kind: 'select' }
  /** From an answer that was asked ahead. */
  | { kind: 'held' }
  /** Refuse the command: its sequence numbers are no longer valid on the server. */
  | { kind: 'expunge-issued' }
  | { kind: 'bad'; text: string }

/** Finds out how many of the client's bytes, beginning at `from`, may go to the server now. */
export function passCommands(bytes: Buffer, from: number, conversation: Conversation): Passage {
  const { scanner } = conversation
  const { clients, pool } = conversation.context.settings.current
  conversation.clearWait()
  let at = from
  while (at < bytes.length && conversation.waitsFor === undefined) {
    const part = scanner.next(bytes, at, Infinity)
    if (part === 'literal') {
      passLiteral(bytes, at, scanner.end, conversation)
      at = scanner.end
      continue
    }
    if (part !== 'line') {
      // A line waits until it is complete or exceeds the limit. Bytes of a longer line pass as they arrive.
      if (!scanner.isWithinLine && bytes.length - at <= clients.lineBytesMax) break
      const stop = passPart(bytes, at, conversation, pool)
      if (stop !== undefined) return stop
      at = bytes.length
      break
    }
    const lineFeed = scanner.end - 1
    if (conversation.expectsCommand) {
      const stop = beginCommand(bytes, at, lineFeed, conversation, pool)
      if (stop !== undefined) return stop
    }
    const ending = passLine(bytes, at, lineFeed, conversation)
    if (ending === 'literal-too-long') return { kind: 'violation', to: at, reason: ending }
    at = lineFeed + 1
  }
  return { kind: 'passed', to: at }
}

/**
 * Decides on the command whose first line begins at `at`.
 * @param lineFeed the end of the bytes if only the beginning of the line has arrived
 * @returns undefined if the command goes to the server
 */
function beginCommand(
  bytes: Buffer,
  at: number,
  lineFeed: number,
  conversation: Conversation,
  pool: PoolConfig,
): Passage | undefined {
  const isWhole = lineFeed < bytes.length
  if (conversation.isFull) return waitForTurn(at, conversation)
  const head = commandHead(bytes, at, lineFeed)
  const { selectCache } = conversation
  if (enablesCondstore(head.verb, bytes, at, lineFeed) && conversation.mayMoveForCondstore)
    return { kind: 'condstore', to: at }
  let policy = policyOf(head.verb, pool)
  if (!isTag(bytes, at, head.tagEnd)) policy = badTag
  else if (!isVerb(bytes, head.verbStart, head.verbEnd)) policy = badVerb
  // The end of the verb has not arrived, so the command is unknown.
  if (!isWhole && head.verbEnd === lineFeed) return { kind: 'violation', to: at, reason: 'line-too-long' }
  const { ahead } = conversation
  const isForServer = policy === 'pass' || policy === 'enable'
  if (ahead !== undefined && isForServer) {
    const verdict = ahead.admit(bytes, at, head, lineFeed)
    if (verdict === 'wait' || verdict === 'UNSELECT') return stopFor(verdict, at, conversation)
    // The server may still report an EXPUNGE before its reply to a command of the edge.
    if (verdict === 'claim' && maySelect(head.verb) && conversation.hasOwnUnanswered)
      return waitForTurn(at, conversation)
    if (verdict === 'claim') policy = 'held'
    else if (verdict === 'expunge-issued') policy = verdict
  }
  const isCaching = pool.selectCache !== 'off'
  const key = isCaching && isWhole ? selectionKey(head.verb, bytes, head.verbEnd, lineFeed) : undefined
  // ENABLE may move the session to another connection. This connection then keeps its mailbox selected.
  const isFirstEnable =
    policy === 'enable' && selectCache.isUntouched && conversation.connection.extensions.size === 0
  if (selectCache.hasInherited && (policy === 'pass' || policy === 'enable') && !isFirstEnable) {
    const verdict = selectCache.admit(key, pool)
    if (verdict === 'wait') return waitForTurn(at, conversation)
    if (verdict === 'NOOP' || verdict === 'UNSELECT') return { kind: 'own-command', to: at, verb: verdict }
    if (verdict === 'answer' && conversation.hasOwnUnanswered) return waitForTurn(at, conversation)
    if (verdict === 'answer') policy = 'select'
  }
  // A command that the server must not get is refused, even if its line is too long to be answered.
  const isRefused = typeof policy === 'object' || policy === 'expunge-issued'
  if (policy !== 'pass' && (isWhole || isRefused)) {
    const stop = answerHere(policy, bytes, at, head, lineFeed, conversation)
    if (stop?.kind === 'answer' && policy === 'held') {
      if (isCaching) selectCache.onCommand(key, head.verb, bytes, at, lineFeed, true)
      else selectCache.forget()
    }
    if (stop !== undefined) return stop
  }
  // The edge cannot answer the command, so the server gets it.
  if (ahead !== undefined && !isForServer) {
    const verdict = ahead.admit(bytes, at, head, lineFeed)
    if (verdict === 'wait' || verdict === 'UNSELECT') return stopFor(verdict, at, conversation)
  }
  const isAlone = conversation.isAllAnswered
  const isUidSearch =
    head.verb === 'UID' && searches.some((word) => startsWithWord(bytes, head.verbEnd + 1, word))
  conversation.sent(bytes.toString('latin1', at, head.tagEnd), head.verb, isUidSearch)
  ahead?.sent(conversation.current)
  if (isCaching && isWhole) selectCache.onCommand(key, head.verb, bytes, at, lineFeed, isAlone)
  else selectCache.forget()
  return undefined
}

const searches = ['SEARCH', 'SORT', 'THREAD']

function stopFor(verdict: 'wait' | 'UNSELECT', at: number, conversation: Conversation): Passage {
  if (verdict === 'wait') return waitForTurn(at, conversation, 'question')
  return { kind: 'own-command', to: at, verb: verdict }
}

/** Whether the command enables CONDSTORE. Only commands that need no selected mailbox are considered. */
function enablesCondstore(verb: Verb, bytes: Buffer, at: number, lineFeed: number): boolean {
  const isForAnyState = verb === 'STATUS' || verb === 'LIST' || maySelect(verb)
  return isForAnyState && condstoreUse(bytes, at, lineFeed) === 'certain'
}

/** Undefined: the edge cannot answer this form of the command, so it goes to the server. */
function answerHere(
  policy: Exclude<Policy, 'pass'>,
  bytes: Buffer,
  at: number,
  head: CommandHead,
  lineFeed: number,
  conversation: Conversation,
): Passage | undefined {
  if (lineFeed === bytes.length) return { kind: 'violation', to: at, reason: 'line-too-long' }
  const hasLiteral = literalSize(bytes, at, lineFeed) !== undefined
  if (!conversation.mayAnswer)
    return waitForTurn(at, conversation, policy === 'logout' && !hasLiteral ? 'logout' : 'turn')
  // After a refusal the literal would be parsed as commands: the client may have sent it already, without waiting for `+`.
  if ((typeof policy === 'object' || policy === 'expunge-issued') && hasLiteral)
    return { kind: 'violation', to: at, reason: 'literal-refused' }
  if ((policy === badTag || policy === badVerb) && conversation.followsLiteral && lineFeed > at + 1)
    conversation.connection.spoil('odd-literal')
  if (typeof policy === 'string' && hasLiteral) return undefined
  const answer = answerOf(policy, bytes.subarray(at, lineFeed + 1), at, head, conversation)
  if (answer === undefined) return undefined
  const tag = policy === badTag ? '*' : bytes.toString('latin1', at, head.tagEnd)
  const shownTo = shownEnd(policy, at, head, lineFeed)
  return { kind: 'answer', to: at, shownTo, lineFeed, tag, answer }
}

/**
 * Where the part of an answered command ends that a trace may show. Usually tag and verb only: a refused second LOGIN has a
 * password. Nothing of a line that is not a command: it may be the password after a refused AUTHENTICATE. All of a command
 * that the server would otherwise get.
 */
function shownEnd(policy: Policy, at: number, head: CommandHead, lineFeed: number): number {
  if (policy === 'held' || policy === 'expunge-issued') return lineFeed - 1
  return policy === badTag || policy === badVerb ? at : head.verbEnd
}

/** @param line the complete command, which begins at `at` in the bytes that `head` refers to */
function answerOf(
  policy: Exclude<Policy, 'pass'>,
  line: Buffer,
  at: number,
  head: CommandHead,
  conversation: Conversation,
): Answer | undefined {
  const { capabilities, identification, mailbox } = conversation.connection
  if (typeof policy === 'object') return { kind: 'bad', text: policy.refuse }
  switch (policy) {
    case 'logout':
    case 'select':
    case 'held':
    case 'expunge-issued':
      return { kind: policy }
    case 'capability':
      return capabilities.length > 0 ? { kind: policy } : undefined
    case 'id': {
      // The server may report an EXPUNGE before its reply to ID (RFC 9051 7.5.1). If the client has a mailbox selected, it must
      // get both, so the command goes to the server.
      const isOfClient = !conversation.selectCache.hasInherited && !conversation.ahead?.hasSelected
      if (mailbox !== 'none' && isOfClient) return undefined
      const response = identification.afterLogin
      const pairs = response === undefined ? undefined : parseId(line, head.verbEnd - at)
      return response !== undefined && pairs ? { kind: policy, pairs, response } : undefined
    }
    case 'enable': {
      const names = line.toString('latin1', head.verbEnd - at).toUpperCase()
      const wanted = [...new Set(names.match(/\S+/g))].sort().join(' ')
      return wanted !== '' && conversation.mayMove ? { kind: policy, extensions: wanted } : undefined
    }
  }
}

function waitForTurn(
  at: number,
  conversation: Conversation,
  wait: 'turn' | 'question' | 'logout' = 'turn',
): Passage {
  conversation.waitForTurn(wait)
  return { kind: 'passed', to: at }
}

/** A line of a command, the rest of a long line, or DONE goes to the server. Notes its effect on the connection. */
function passLine(bytes: Buffer, at: number, lineFeed: number, conversation: Conversation): LineEnding {
  const { connection, scanner } = conversation
  if (scanner.isWithinLine) return passRest(bytes, at, lineFeed, conversation)
  // Servers differ on whether a bare LF or a CR within a line ends the line.
  if (lineFeed === at || findByte(bytes, CR, at) !== lineFeed - 1) connection.spoil('odd-line-end')
  if (conversation.isIdling) {
    conversation.idleEnded()
    return 'complete'
  }
  if (!scanner.betweenCommands) checkBehindLiteral(bytes, at, conversation)
  noteWords(bytes, at, lineFeed, condstoreUse(bytes, at, lineFeed), conversation)
  if (endsInQuotes(bytes, at, lineFeed)) connection.spoil('unclosed-quote')
  return conversation.lineSent(bytes, at)
}

/** Notes the effect of the words of a line, from `at` to `to`, on the connection. */
function noteWords(
  bytes: Buffer,
  at: number,
  to: number,
  condstore: CondstoreUse,
  conversation: Conversation,
): void {
  const { connection } = conversation
  const { verb } = conversation.current
  const reason = spoilReasonOf(verb, bytes, at, to)
  if (reason) connection.spoil(reason)
  if (maySelect(verb)) connection.mailboxMayBeSelected()
  if (condstore !== 'none') conversation.currentUsesCondstore(condstore)
}

/** The bytes from `at` on go to the server before the end of their line has arrived. */
function passPart(
  bytes: Buffer,
  at: number,
  conversation: Conversation,
  pool: PoolConfig,
): Passage | undefined {
  const { scanner } = conversation
  if (conversation.isIdling) return { kind: 'violation', to: at, reason: 'line-too-long' }
  if (!scanner.isWithinLine) {
    if (conversation.expectsCommand) {
      const stop = beginCommand(bytes, at, bytes.length, conversation, pool)
      if (stop !== undefined) return stop
    } else checkBehindLiteral(bytes, at, conversation)
    conversation.longLineBegins()
  }
  notePart(bytes.subarray(at), false, conversation)
  scanner.takePart(bytes, at)
  return undefined
}

function passRest(bytes: Buffer, at: number, lineFeed: number, conversation: Conversation): LineEnding {
  notePart(bytes.subarray(at, lineFeed + 1), true, conversation)
  if (conversation.longLine!.inQuotes) conversation.connection.spoil('unclosed-quote')
  return conversation.lineSent(bytes, at)
}

/** Notes the effect of one part of a long line on the connection. A word may be split across two parts. */
function notePart(part: Buffer, isLast: boolean, conversation: Conversation): void {
  const { connection, scanner, current } = conversation
  const line = conversation.longLine!
  const before = scanner.position.lineTail
  const bytes = before ? Buffer.concat([before, part]) : part
  const firstNew = before?.length ?? 0
  // The CR may be the last byte of the previous part.
  const carriageReturn = findByte(bytes, CR, Math.max(0, firstNew - 1))
  const isOdd = isLast
    ? carriageReturn !== bytes.length - 2
    : carriageReturn >= 0 && carriageReturn !== bytes.length - 1
  if (isOdd) connection.spoil('odd-line-end')
  const condstore = hasCondstoreWord(bytes, 0, bytes.length) ? 'possible' : 'none'
  noteWords(bytes, 0, bytes.length, condstore, conversation)
  line.hasReturn ||= containsWord(bytes, 0, bytes.length, 'RETURN')
  if (line.hasReturn && maySearch(current.verb) && containsWord(bytes, 0, bytes.length, 'UPDATE'))
    connection.spoil('search-update')
  // A backslash at the end of a part escapes the first byte of the next part.
  const from = line.endsInBackslash ? 1 : 0
  line.inQuotes = endsInQuotes(part, Math.min(from, part.length), part.length, line.inQuotes)
  line.endsInBackslash = line.inQuotes && endsInEscape(part, from)
}

/** Whether the last byte is a backslash that escapes the next byte. */
function endsInEscape(bytes: Buffer, from: number): boolean {
  let at = bytes.length
  while (at > from && bytes[at - 1] === BACKSLASH) at--
  return (bytes.length - at) % 2 === 1
}

/**
 * A literal outside APPEND is a search word, a name or a value. If it contains a line feed, the client has announced more
 * bytes than the value has, or has put commands into it.
 */
function passLiteral(bytes: Buffer, from: number, to: number, conversation: Conversation): void {
  if (conversation.current.verb !== 'APPEND' && bytes.subarray(from, to).includes(LF))
    conversation.connection.spoil('line-end-in-literal')
}

/** After a literal, a line end, a space or a parenthesis follows. Otherwise the client has announced too few bytes. */
function checkBehindLiteral(bytes: Buffer, at: number, { connection }: Conversation): void {
  const byte = bytes[at]
  if (byte !== CR && byte !== SP && byte !== CLOSE_PARENTHESIS && byte !== LF) connection.spoil('odd-literal')
}

/** What the edge does with a command. */
export type Policy =
  | 'pass'
  /** These are answered by the edge, after all earlier commands have been answered. */
  | 'logout'
  | 'capability'
  | 'id'
  | 'enable'
  | 'select'
  | 'held'
  | 'expunge-issued'
  /** The edge answers BAD: the command would change the login or the encoding of the stream, or is not a valid command. */
  | { refuse: string }

const badTag: Policy = { refuse: 'Invalid tag' }
/** The verb is quoted or a literal. A lenient server may accept it, but the edge cannot tell which command it is. */
const badVerb: Policy = { refuse: 'Invalid command' }
const secondLogin: Policy = { refuse: 'Already logged in' }
const notHere: Policy = { refuse: 'Command not available through this proxy' }

export function policyOf(verb: Verb, pool: Pick<PoolConfig, 'answerCapability' | 'answerId'>): Policy {
  switch (verb) {
    case 'LOGOUT':
      return 'logout'
    case 'CAPABILITY':
      return pool.answerCapability ? 'capability' : 'pass'
    case 'ID':
      return pool.answerId ? 'id' : 'pass'
    case 'ENABLE':
      return 'enable'
    case 'LOGIN':
    case 'AUTHENTICATE':
    case 'PROXYAUTH':
    case 'STARTTLS':
      return secondLogin
    case 'UNAUTHENTICATE':
    case 'COMPRESS':
      return notHere
    default:
      return 'pass'
  }
}

/** The reason if a reset cannot undo the command. */
export function spoilReasonOf(verb: Verb, bytes: Buffer, from: number, to: number): SpoilReason | undefined {
  switch (verb) {
    case 'NOTIFY':
      return 'notify'
    case 'LANGUAGE':
      return 'language'
    case 'COMPARATOR':
      return 'comparator'
    default:
      // After SEARCH RETURN (UPDATE) the server sends updates until it is cancelled (RFC 5267). A false positive costs one
      // connection.
      return mayReturn('UPDATE', verb, bytes, from, to) ? 'search-update' : undefined
  }
}
