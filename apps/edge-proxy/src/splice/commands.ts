/**
 * The client's bytes after login: lines and literals pass as they are, command starts are looked at. What passes is
 * told to the conversation; what is answered here is left to the splice.
 */
import { CR, findByte, LF } from '../imap/bytes.ts'
import { isNonSynchronizing, literalSize, NO_LITERAL } from '../imap/literal.ts'
import { commandHead, isTag, isVerb, type CommandHead } from '../imap/verb.ts'
import { hasUnselect } from '../server/reset.ts'
import type { Conversation } from './conversation.ts'
import type { Violation } from './ending.ts'
import {
  mayEnableCondstore,
  maySelect,
  policyOf,
  spoilReasonOf,
  type AnswerOptions,
  type Policy,
} from './policy.ts'
import { mayChangeMailbox, selectionKey } from '../imap/selection.ts'

export type Answered = Exclude<Policy, { kind: 'pass' }>

export type AnswerVerdict =
  | 'answered'
  /** It goes to the server after all. */
  | 'pass'
  /** Answered, and the session goes on on another connection: nothing of the conversation holds any more. */
  | 'moved'
  /** So is the session. */
  | 'ended'

export interface CommandSink {
  /** These bytes go to the server. */
  onPass(bytes: Buffer, from: number, to: number): void
  /**
   * A whole command line to be answered here; called only when it is our turn.
   */
  onAnswer(policy: Answered, head: CommandHead, line: Buffer, lineStart: number): AnswerVerdict
  /** The first command on a connection with a kept selection; the sink settles `talk.kept`, now or later. */
  onKept(key: string | undefined): void
  /** The bytes can be read no further. */
  onViolation(reason: Violation): void
}

const literalBytesMax = 2 ** 40
const pass: Policy = { kind: 'pass' }
const badTag: Policy = { kind: 'refuse', text: 'Invalid tag' }
/** A verb in quotes or in a literal: a lenient server might take it, and we could not see which it is. */
const badVerb: Policy = { kind: 'refuse', text: 'Invalid command' }
const select: Policy = { kind: 'answer', what: 'select' }

/**
 * Passes on as much as may pass now.
 * @returns how many bytes have been dealt with; the rest must be given again, with more behind it or when the
 *   conversation is no longer blocked. -1: the session has ended.
 */
export function passCommands(
  bytes: Buffer,
  talk: Conversation,
  options: AnswerOptions & { lineBytesMax: number },
  sink: CommandSink,
): number {
  let passed = 0
  let at = 0
  talk.blocked = undefined
  while (at < bytes.length && talk.blocked === undefined) {
    if (talk.literal > 0) {
      const taken = Math.min(talk.literal, bytes.length - at)
      talk.literal -= taken
      at += taken
      continue
    }
    const lineFeed = findByte(bytes, LF, at)
    if ((lineFeed < 0 ? bytes.length : lineFeed) - at > options.lineBytesMax) {
      sink.onViolation('line-too-long')
      return -1
    }
    if (lineFeed < 0) break
    if (talk.open === undefined && talk.idle !== 'on') {
      if (talk.outstanding.isFull) {
        talk.blocked = 'turn'
        break
      }
      const head = commandHead(bytes, at, lineFeed)
      const policy = isTag(bytes, at, head.tagEnd)
        ? policyHere(talk, bytes, head, lineFeed, options, sink)
        : badTag
      if (policy === 'wait') {
        talk.blocked = 'turn'
        break
      }
      if (policy.kind !== 'pass') {
        if (passed < at) sink.onPass(bytes, passed, at)
        passed = at
        if (!talk.isOurTurn) {
          talk.blocked = 'turn'
          talk.isLeaving = policy.kind === 'answer' && policy.what === 'logout'
          break
        }
        const verdict = answer(policy, head, bytes, at, lineFeed, sink)
        if (verdict === 'ended') return -1
        if (verdict === 'moved') return lineFeed + 1
        if (verdict === 'answered') {
          passed = at = lineFeed + 1
          continue
        }
      }
      startCommand(talk, bytes, at, head, lineFeed, options)
    }
    if (!passLine(talk, bytes, at, lineFeed)) {
      sink.onViolation('literal-too-long')
      return -1
    }
    at = lineFeed + 1
  }
  if (passed < at) sink.onPass(bytes, passed, at)
  return at
}

function answer(
  policy: Answered,
  head: CommandHead,
  bytes: Buffer,
  at: number,
  lineFeed: number,
  sink: CommandSink,
): AnswerVerdict {
  if (literalSize(bytes, at, lineFeed) !== NO_LITERAL) {
    if (policy.kind === 'answer') return 'pass'
    if (isNonSynchronizing(bytes, lineFeed)) {
      // The literal of what is refused is on its way and would be read as commands.
      sink.onViolation('literal-refused')
      return 'ended'
    }
  }
  return sink.onAnswer(policy, head, bytes.subarray(at, lineFeed + 1), at)
}

/** What to do with this command now; 'wait': a kept selection must be proven first. */
function policyHere(
  talk: Conversation,
  bytes: Buffer,
  head: CommandHead,
  lineFeed: number,
  options: AnswerOptions,
  sink: CommandSink,
): Policy | 'wait' {
  const policy = isVerb(bytes, head.verbStart, head.verbEnd) ? policyOf(head.verb, options) : badVerb
  if (
    talk.kept === 'none' ||
    policy.kind === 'refuse' ||
    (policy.kind === 'answer' && policy.what !== 'enable')
  )
    return policy
  if (talk.kept === 'unproven') sink.onKept(selectionKey(head.verb, bytes, head.verbEnd, lineFeed))
  if (talk.kept === 'asked') return 'wait'
  // A change may have been told right behind the NOOP.
  const isSame = talk.kept === 'same' && talk.upstream.selection !== undefined
  talk.kept = 'none'
  return isSame ? select : policy === select ? pass : policy
}

function startCommand(
  talk: Conversation,
  bytes: Buffer,
  at: number,
  head: CommandHead,
  lineFeed: number,
  options: AnswerOptions,
): void {
  const isAlone = talk.outstanding.isClientDone
  const sent = talk.sent(bytes.toString('latin1', at, head.tagEnd), head.verb, false)
  talk.open = sent
  if (options.selectCache === 'off') return
  const { upstream } = talk
  const key = selectionKey(head.verb, bytes, head.verbEnd, lineFeed)
  if (key !== undefined || maySelect(head.verb) || mayChangeMailbox(head.verb, bytes, at, lineFeed))
    upstream.selection = undefined
  talk.recording =
    key !== undefined && isAlone && hasUnselect(upstream.capabilities)
      ? { sent, recording: { key, lines: [], bytes: 0 } }
      : undefined
}

/** Notes what a line of a command, or DONE, leaves behind. False: it announces a literal beyond all bounds. */
function passLine(talk: Conversation, bytes: Buffer, at: number, lineFeed: number): boolean {
  const { upstream } = talk
  // A bare LF ends a line for some servers and not for others; a CR within a line likewise.
  if (lineFeed === at || findByte(bytes, CR, at) !== lineFeed - 1) upstream.spoil('odd-line-end')
  if (talk.idle === 'on') {
    // DONE, or an error: either ends it (RFC 2177).
    talk.idle = 'off'
    return true
  }
  const command = talk.open!
  const spoilReason = spoilReasonOf(command.verb, bytes, at, lineFeed)
  if (spoilReason) upstream.spoil(spoilReason)
  if (maySelect(command.verb)) upstream.session.selected = true
  if (mayEnableCondstore(bytes, at, lineFeed)) command.condstore = true
  const size = literalSize(bytes, at, lineFeed)
  if (size === NO_LITERAL) {
    talk.open = undefined
    if (command.verb === 'IDLE') {
      talk.idle = 'asked'
      talk.blocked = 'continuation'
    }
    return true
  }
  if (size > literalBytesMax) return false
  talk.literal = size
  if (!isNonSynchronizing(bytes, lineFeed)) talk.blocked = 'continuation'
  return true
}
