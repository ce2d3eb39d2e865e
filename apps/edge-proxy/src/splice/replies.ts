/**
 * The server's responses after login. Nearly all pass unchanged. Tagged replies are reported to the conversation,
 * capability lists are reduced to what the edge supports, and replies to the edge's own commands are omitted.
 */
import { oneLine } from '@imapfleet/observe'
import { SP, startsWithWord, wordEnd } from '../imap/bytes.ts'
import { capabilitiesIn, filterCapabilityLine } from '../imap/capability.ts'
import { carriesCapabilities, untaggedAt } from '../imap/response-facts.ts'
import type { HeadVerdict, LineVerdict, ResponseKind } from '../imap/response-scanner.ts'
import type { Verb } from '../imap/verb.ts'
import type { Conversation, ReplyStatus } from './conversation.ts'

/** Decides on the response whose first line begins at `start` and ends with the line feed at `end`. */
export function judgeResponse(
  kind: ResponseKind,
  bytes: Buffer,
  start: number,
  end: number,
  conversation: Conversation,
): LineVerdict {
  if (kind === 'untagged') return judgeUntagged(bytes, start, end, conversation)
  if (kind === 'tagged') return judgeTagged(bytes, start, end, conversation)
  conversation.continued()
  return conversation.ahead?.told() ?? 'pass'
}

/** Decides on an untagged response of which only the beginning has arrived, up to the end of the bytes. */
export function judgeHead(bytes: Buffer, start: number, conversation: Conversation): HeadVerdict {
  const at = untaggedAt(bytes, start)
  const { selectCache, ahead } = conversation
  // Only blanks so far: the response is for the client, unless the edge waits for a response itself.
  if (at === bytes.length) {
    const isHeld = conversation.hasOwnUnanswered || selectCache.hasInherited || ahead?.isActive === true
    return isHeld ? 'hold' : 'show'
  }
  if (selectCache.isRecording || ahead !== undefined) return 'hold'
  const end = wordEnd(bytes, at, bytes.length)
  const isNumber = bytes[at]! >= 48 && bytes[at]! <= 57
  const wordTo = isNumber ? wordEnd(bytes, end + 1, bytes.length) : end
  if (wordTo >= bytes.length || bytes[wordTo] !== SP) return 'hold'
  return !isNumber && needsWholeLine(bytes, at) ? 'hold' : 'judge'
}

/** Whether the edge needs the whole line: statuses with codes, and lists that it changes or remembers. */
function needsWholeLine(bytes: Buffer, at: number): boolean {
  return wholeLines.some((word) => startsWithWord(bytes, at, word))
}

const wholeLines = ['OK', 'NO', 'BAD', 'BYE', 'PREAUTH', 'CAPABILITY', 'ENABLED']

function judgeTagged(bytes: Buffer, start: number, end: number, conversation: Conversation): LineVerdict {
  const { connection, selectCache, ahead } = conversation
  const sent = conversation.commandOf(bytes, start, end)
  if (!sent) {
    connection.spoil('unexpected-reply')
    ahead?.fail('unexpected-tag')
    return 'pass'
  }
  const statusAt = start + sent.tag.length + 1
  const status = statusOf(bytes, statusAt)
  conversation.answered(sent, status)
  if (conversation.hasLostReply) return 'omit'
  const isExpected = status === 'OK' || ahead?.mayBeRefused(sent) === true
  const verdict =
    ahead?.onTagged(sent, status === 'OK', bytes.toString('latin1', statusAt, end + 1)) ?? 'pass'
  if (sent.isOwn) {
    selectCache.onOwnReply(sent.verb, status === 'OK')
    if (!isExpected) logRefused(sent.verb, bytes.toString('latin1', statusAt, end), conversation)
    return 'omit'
  }
  if (selectCache.isRecording) {
    selectCache.onReply(status === 'OK', bytes.toString('latin1', statusAt, end))
    ahead?.selectRecorded()
  }
  return verdict === 'pass' && carriesCapabilities(bytes, statusAt, end)
    ? filtered(bytes, start, end, conversation)
    : verdict
}

/** The server has refused a command of the edge. A refused NOOP is harmless: the SELECT cache is not used. */
function logRefused(verb: Verb, text: string, { connection, context }: Conversation): void {
  const answer = oneLine(text.trimEnd())
  // imapproxy logs a refused ID with these words, and operators search for them.
  if (verb === 'ID') context.log.warn('QUEUED PREAUTH failed', { command: verb, answer })
  else if (verb === 'UNSELECT') context.log.warn('unselect_refused', { user: connection.user, answer })
}

function statusOf(bytes: Buffer, at: number): ReplyStatus {
  if (startsWithWord(bytes, at, 'OK')) return 'OK'
  return startsWithWord(bytes, at, 'NO') ? 'NO' : 'BAD'
}

function judgeUntagged(bytes: Buffer, start: number, end: number, conversation: Conversation): LineVerdict {
  const at = untaggedAt(bytes, start)
  if (startsWithWord(bytes, at, 'BYE')) {
    conversation.byeReceived()
    conversation.ahead?.fail('bye')
    return 'pass'
  }
  const { ahead } = conversation
  if (answersOwn(bytes, start, end, conversation)) return 'omit'
  const taken = ahead?.onUntagged(bytes, start, end) ?? 'pass'
  if (taken === 'keep' || taken === 'omit') return taken
  const verdict = judgeForClient(bytes, start, end, conversation)
  return verdict === 'pass' ? taken : verdict
}

/** Decides on an untagged response that answers no command of the edge. */
function judgeForClient(bytes: Buffer, start: number, end: number, conversation: Conversation): LineVerdict {
  const at = untaggedAt(bytes, start)
  const { selectCache } = conversation
  // It is not about a mailbox, so it passes also while a mailbox is being left.
  if (startsWithWord(bytes, at, 'ENABLED')) {
    conversation.enabled(wordsOf(bytes.toString('latin1', at + 'ENABLED'.length, end)))
    return 'pass'
  }
  if (selectCache.isListening) {
    const verdict = selectCache.onUntagged(bytes, start, end, conversation.isFetching)
    if (verdict === 'omit') return verdict
  }
  switch (bytes[at]! & 0xdf) {
    case 67: // C
      return startsWithWord(bytes, at, 'CAPABILITY') ? filtered(bytes, start, end, conversation) : 'pass'
    case 66: // B
    case 78: // N
    case 79: // O
      return carriesCapabilities(bytes, at, end) ? filtered(bytes, start, end, conversation) : 'pass'
    default:
      return 'pass'
  }
}

/** Whether it answers an ID or CAPABILITY of the edge. Such a response is not recorded as part of an answer to SELECT. */
function answersOwn(bytes: Buffer, start: number, end: number, conversation: Conversation): boolean {
  const at = untaggedAt(bytes, start)
  if (startsWithWord(bytes, at, 'ID ')) {
    conversation.connection.identification.learnAfterLogin(bytes.toString('latin1', start, end + 1))
    return conversation.hasOwnUnanswered
  }
  if (!startsWithWord(bytes, at, 'CAPABILITY') || !conversation.awaitsOwn('CAPABILITY')) return false
  filtered(bytes, start, end, conversation)
  return true
}

const wordsOf = (text: string): string[] => text.toUpperCase().match(/\S+/g) ?? []

/** The line with a reduced capability list. The complete list is remembered. */
function filtered(bytes: Buffer, start: number, end: number, { connection }: Conversation): LineVerdict {
  const line = bytes.toString('latin1', start, end + 1)
  const capabilities = capabilitiesIn(line)
  if (capabilities) connection.learnCapabilities(capabilities)
  return Buffer.from(filterCapabilityLine(line), 'latin1')
}
