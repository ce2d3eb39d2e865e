/**
 * The client's bytes after login: lines and literals pass as they are, command starts are looked at. What passes is
 * told to the conversation; what is answered here is left to the splice.
 */
import { CR, LF } from '../imap/bytes.ts'
import { isNonSynchronizing, literalSize, NO_LITERAL } from '../imap/literal.ts'
import { commandHead, isTag, type CommandHead } from '../imap/verb.ts'
import type { Conversation } from './conversation.ts'
import {
  mayEnableCondstore,
  maySelect,
  policyOf,
  taintOf,
  type AnswerOptions,
  type Policy,
} from './policy.ts'

export interface CommandSink {
  /** These bytes go to the server. */
  onPass(bytes: Buffer, from: number, to: number): void
  /** A whole command line to be answered here; called only when it is our turn. */
  onAnswer(
    policy: Exclude<Policy, { kind: 'pass' }>,
    head: CommandHead,
    line: Buffer,
    lineStart: number,
  ): void
  /** The bytes can be read no further. */
  onViolation(reason: 'line-too-long' | 'literal-too-long'): void
}

const literalBytesMax = 2 ** 40
const badTag: Policy = { kind: 'refuse', text: 'Invalid tag' }

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
    const lineFeed = bytes.indexOf(LF, at)
    if ((lineFeed < 0 ? bytes.length : lineFeed) - at > options.lineBytesMax) {
      sink.onViolation('line-too-long')
      return -1
    }
    if (lineFeed < 0) break
    if (talk.open === undefined && talk.idle !== 'on') {
      const head = commandHead(bytes, at, lineFeed)
      const policy = isTag(bytes, at, head.tagEnd) ? policyOf(head.verb, options) : badTag
      if (policy.kind === 'pass') startCommand(talk, bytes, at, head)
      else {
        if (passed < at) sink.onPass(bytes, passed, at)
        passed = at
        if (!talk.isOurTurn) {
          talk.blocked = 'turn'
          break
        }
        // The literals of what is refused would be read as commands.
        if (literalSize(bytes, at, lineFeed) !== NO_LITERAL) {
          sink.onViolation('literal-too-long')
          return -1
        }
        sink.onAnswer(policy, head, bytes.subarray(at, lineFeed + 1), at)
        if (policy.kind === 'answer' && policy.what === 'logout') return -1
        passed = at = lineFeed + 1
        continue
      }
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

function startCommand(talk: Conversation, bytes: Buffer, at: number, head: CommandHead): void {
  talk.open = talk.sent(bytes.toString('latin1', at, head.tagEnd), head.verb, false)
}

/** Notes what a line of a command, or DONE, leaves behind. False: it announces a literal beyond all bounds. */
function passLine(talk: Conversation, bytes: Buffer, at: number, lineFeed: number): boolean {
  const { upstream } = talk
  // A bare LF ends a line for some servers and not for others; a CR within a line likewise.
  if (bytes.indexOf(CR, at) !== lineFeed - 1) upstream.taint('odd-line-end')
  if (talk.idle === 'on') {
    // DONE, or an error: either ends it (RFC 2177).
    talk.idle = 'off'
    return true
  }
  const command = talk.open!
  const taint = taintOf(command.verb, bytes, at, lineFeed)
  if (taint) upstream.taint(taint)
  if (maySelect(command.verb)) upstream.session.selected = true
  if (mayEnableCondstore(command.verb, bytes, at, lineFeed)) command.condstore = true
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
