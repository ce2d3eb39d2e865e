/**
 * The client's commands after login: which bytes may go to the server, which commands the edge answers or refuses, and what
 * each command leaves on the connection. It reports what goes to the server to the conversation. It sends nothing: the
 * splice acts on the values that it returns.
 */
import type { PoolConfig } from '@imapfleet/config'
import { containsWord, CR, findByte } from '../imap/bytes.ts'
import type { LineEnding } from '../imap/command-scanner.ts'
import { condstoreUse } from '../imap/condstore.ts'
import { parseId, type IdPairs } from '../imap/id.ts'
import { literalSize } from '../imap/literal.ts'
import { commandHead, isTag, isVerb, maySelect, type CommandHead, type Verb } from '../imap/verb.ts'
import type { SpoilReason } from '../server/server-connection.ts'
import type { Conversation } from './conversation.ts'
import type { Violation } from './ending.ts'
import { selectionKey } from './select-cache.ts'

/** How far the client's bytes may pass, and why no further. In every case the bytes before `to` go to the server. */
export type Passage =
  /** The rest must be given again, with more bytes behind it or when the conversation has changed. */
  | { kind: 'passed'; to: number }
  /**
   * The edge answers the command from `to` to its line feed at `lineFeed`; it is the command's turn. A trace shows it up to
   * `shownTo`.
   */
  | { kind: 'answer'; to: number; shownTo: number; lineFeed: number; tag: string; answer: Answer }
  /** The edge must send this command first, before the client's command at `to`. */
  | { kind: 'own-command'; to: number; verb: 'NOOP' | 'UNSELECT' }
  /** The command at `to` will enable CONDSTORE. Another connection may have it: move there first if there is one. */
  | { kind: 'condstore'; to: number }
  /** The bytes cannot be read any further. */
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
  | { kind: 'bad'; text: string }

/** Passes as many of the client's bytes, from `from` on, as may go to the server now. */
export function passCommands(bytes: Buffer, from: number, conversation: Conversation): Passage {
  const { scanner } = conversation
  const { clients, pool } = conversation.context.settings.current
  conversation.clearWait()
  let at = from
  while (at < bytes.length && conversation.waitsFor === undefined) {
    const part = scanner.next(bytes, at, clients.lineBytesMax)
    if (part === 'literal') {
      at = scanner.end
      continue
    }
    if (part === 'partial-line') break
    if (part === 'line-too-long') return { kind: 'violation', to: at, reason: part }
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

/** Decides on the command whose first line begins at `at`. Undefined: it goes to the server. */
function beginCommand(
  bytes: Buffer,
  at: number,
  lineFeed: number,
  conversation: Conversation,
  pool: PoolConfig,
): Passage | undefined {
  if (conversation.isFull) return waitForTurn(at, conversation)
  const head = commandHead(bytes, at, lineFeed)
  const { selectCache } = conversation
  if (enablesCondstore(head.verb, bytes, at, lineFeed) && conversation.mayMoveForCondstore)
    return { kind: 'condstore', to: at }
  let policy = policyOf(head.verb, pool)
  if (!isTag(bytes, at, head.tagEnd)) policy = badTag
  else if (!isVerb(bytes, head.verbStart, head.verbEnd)) policy = badVerb
  const isCaching = pool.selectCache !== 'off'
  const key = isCaching ? selectionKey(head.verb, bytes, head.verbEnd, lineFeed) : undefined
  // ENABLE may move the session to another connection. This one then keeps its mailbox.
  const isFirstEnable =
    policy === 'enable' && selectCache.isUntouched && conversation.connection.extensions.size === 0
  if (selectCache.hasInherited && (policy === 'pass' || policy === 'enable') && !isFirstEnable) {
    const verdict = selectCache.admit(key, pool)
    if (verdict === 'wait') return waitForTurn(at, conversation)
    if (verdict === 'NOOP' || verdict === 'UNSELECT') return { kind: 'own-command', to: at, verb: verdict }
    if (verdict === 'answer') policy = 'select'
  }
  if (policy !== 'pass') {
    const stop = answerHere(policy, bytes, at, head, lineFeed, conversation)
    if (stop !== undefined) return stop
  }
  const isAlone = conversation.isAllAnswered
  conversation.sent(bytes.toString('latin1', at, head.tagEnd), head.verb)
  if (isCaching) selectCache.onCommand(key, head.verb, bytes, at, lineFeed, isAlone)
  else selectCache.forget()
  return undefined
}

/** Of the commands that need no selected mailbox. */
function enablesCondstore(verb: Verb, bytes: Buffer, at: number, lineFeed: number): boolean {
  const isForAnyState = verb === 'STATUS' || verb === 'LIST' || maySelect(verb)
  return isForAnyState && condstoreUse(bytes, at, lineFeed) === 'certain'
}

/** Undefined: the edge cannot answer this form of the command, and it goes to the server. */
function answerHere(
  policy: Exclude<Policy, 'pass'>,
  bytes: Buffer,
  at: number,
  head: CommandHead,
  lineFeed: number,
  conversation: Conversation,
): Passage | undefined {
  const hasLiteral = literalSize(bytes, at, lineFeed) !== undefined
  if (!conversation.mayAnswer)
    return waitForTurn(at, conversation, policy === 'logout' && !hasLiteral ? 'logout' : 'turn')
  // The literal of a refused command would be read as commands: it is on its way, or comes from a client that does not wait.
  if (typeof policy === 'object' && hasLiteral)
    return { kind: 'violation', to: at, reason: 'literal-refused' }
  if (typeof policy === 'string' && hasLiteral) return undefined
  const answer = answerOf(policy, bytes.subarray(at, lineFeed + 1), at, head, conversation)
  if (answer === undefined) return undefined
  const tag = policy === badTag ? '*' : bytes.toString('latin1', at, head.tagEnd)
  return { kind: 'answer', to: at, shownTo: shownEnd(policy, at, head), lineFeed, tag, answer }
}

/**
 * Tag and verb only: a refused second LOGIN holds a password. Nothing of a line that is no command: it may be the password
 * that a client sends behind a refused AUTHENTICATE.
 */
function shownEnd(policy: Policy, at: number, head: CommandHead): number {
  return policy === badTag || policy === badVerb ? at : head.verbEnd
}

/** @param line the whole command, which begins at `at` in the bytes that `head` refers to */
function answerOf(
  policy: Exclude<Policy, 'pass'>,
  line: Buffer,
  at: number,
  head: CommandHead,
  conversation: Conversation,
): Answer | undefined {
  const { capabilities, identification } = conversation.connection
  if (typeof policy === 'object') return { kind: 'bad', text: policy.refuse }
  switch (policy) {
    case 'logout':
    case 'select':
      return { kind: policy }
    case 'capability':
      return capabilities.length > 0 ? { kind: policy } : undefined
    case 'id': {
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

function waitForTurn(at: number, conversation: Conversation, wait: 'turn' | 'logout' = 'turn'): Passage {
  conversation.waitForTurn(wait)
  return { kind: 'passed', to: at }
}

/** A line of a command, or DONE, goes to the server: notes what it leaves on the connection. */
function passLine(bytes: Buffer, at: number, lineFeed: number, conversation: Conversation): LineEnding {
  const { connection } = conversation
  // Servers differ on whether a bare LF or a CR within a line ends the line.
  if (lineFeed === at || findByte(bytes, CR, at) !== lineFeed - 1) connection.spoil('odd-line-end')
  if (conversation.isIdling) {
    conversation.idleEnded()
    return 'complete'
  }
  const { verb } = conversation.current
  const reason = spoilReasonOf(verb, bytes, at, lineFeed)
  if (reason) connection.spoil(reason)
  if (maySelect(verb)) connection.mailboxMayBeSelected()
  const condstore = condstoreUse(bytes, at, lineFeed)
  if (condstore !== 'none') conversation.currentUsesCondstore(condstore)
  return conversation.lineSent(bytes, at)
}

/** What the edge does with a command. */
export type Policy =
  | 'pass'
  /** The edge answers it, once everything before it has been answered. */
  | 'logout'
  | 'capability'
  | 'id'
  | 'enable'
  | 'select'
  /** The edge answers BAD: it would change who is logged in or what the bytes mean. */
  | { refuse: string }

const badTag: Policy = { refuse: 'Invalid tag' }
/** A verb in quotes or in a literal: a lenient server may accept it, and the edge cannot tell which verb it is. */
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

/** Commands whose effect no reset undoes. */
export function spoilReasonOf(verb: Verb, bytes: Buffer, from: number, to: number): SpoilReason | undefined {
  switch (verb) {
    case 'NOTIFY':
      return 'notify'
    case 'LANGUAGE':
      return 'language'
    case 'COMPARATOR':
      return 'comparator'
    case 'UID':
    case 'SEARCH':
    case 'SORT':
    case 'THREAD':
      // SEARCH RETURN (UPDATE) keeps sending (RFC 5267). Looked for anywhere in the line: a false alarm costs one connection.
      return containsWord(bytes, from, to, 'RETURN') && containsWord(bytes, from, to, 'UPDATE')
        ? 'search-update'
        : undefined
    default:
      return undefined
  }
}
