/**
 * The server's responses after login: nearly all pass as they are. Tagged ones settle what was sent; a capability list
 * is cut down to what the edge can keep; replies to the edge's own commands are left out.
 */
import { startsWithWord } from '../imap/bytes.ts'
import { filterCapabilityLine, parseCapabilities } from '../imap/capability.ts'
import type { LineVerdict, ResponseKind } from '../imap/response-scanner.ts'
import type { Conversation } from './conversation.ts'
import type { Sent } from './outstanding.ts'

/** What becomes of one response. `onOwnReply` hears the end of a command of the edge's own. */
export function judgeResponse(
  talk: Conversation,
  kind: ResponseKind,
  bytes: Buffer,
  start: number,
  end: number,
  onOwnReply: (sent: Sent, ok: boolean, text: string) => void,
): LineVerdict {
  if (kind === 'untagged') return judgeUntagged(talk, bytes, start, end)
  if (kind === 'continuation') return judgeContinuation(talk)
  const sent = talk.outstanding.take(bytes, start, end)
  if (!sent) {
    talk.upstream.taint('unexpected-reply')
    return 'pass'
  }
  const statusAt = start + sent.tag.length + 1
  const ok = startsWithWord(bytes, statusAt, 'OK')
  settle(talk, sent, ok)
  if (sent.own) {
    onOwnReply(sent, ok, bytes.toString('latin1', statusAt, end))
    return 'omit'
  }
  return startsWithWord(bytes, statusAt, 'OK [CAPABILITY') ? filtered(talk, bytes, start, end) : 'pass'
}

/** What a tagged reply changes. */
function settle(talk: Conversation, sent: Sent, ok: boolean): void {
  const { upstream } = talk
  if (talk.open === sent) {
    if (talk.blocked === 'continuation') {
      // Refused before its literal was sent (RFC 9051 4.3): what comes next is a new command.
      talk.blocked = undefined
      talk.literal = 0
    } else upstream.taint('unexpected-reply')
    talk.open = undefined
  } else if (sent.verb === 'IDLE') {
    if (talk.blocked === 'continuation') talk.blocked = undefined
    talk.idle = 'off'
  }
  if (sent.condstore) {
    if (ok) upstream.session.enabled.add('CONDSTORE')
    else upstream.taint('condstore-uncertain')
  }
  if (ok && (sent.verb === 'UNSELECT' || sent.verb === 'CLOSE')) upstream.session.selected = false
}

function judgeContinuation(talk: Conversation): LineVerdict {
  if (talk.blocked !== 'continuation') {
    talk.upstream.taint('unexpected-continuation')
    return 'pass'
  }
  talk.blocked = undefined
  if (talk.idle === 'asked') talk.idle = 'on'
  return 'pass'
}

function judgeUntagged(talk: Conversation, bytes: Buffer, start: number, end: number): LineVerdict {
  const at = start + 2
  switch (bytes[at]! & 0xdf) {
    case 66: // B
      if (startsWithWord(bytes, at, 'BYE')) talk.upstream.taint('server-said-bye')
      return 'pass'
    case 67: // C
      return startsWithWord(bytes, at, 'CAPABILITY') ? filtered(talk, bytes, start, end) : 'pass'
    case 69: // E
      if (startsWithWord(bytes, at, 'ENABLED'))
        noteEnabled(talk, bytes.toString('latin1', at + 'ENABLED'.length, end))
      return 'pass'
    case 73: // I
      return talk.outstanding.hasOwn && startsWithWord(bytes, at, 'ID ') ? 'omit' : 'pass'
    case 79: // O
      return startsWithWord(bytes, at, 'OK [CAPABILITY') ? filtered(talk, bytes, start, end) : 'pass'
    default:
      return 'pass'
  }
}

function noteEnabled(talk: Conversation, names: string): void {
  for (const name of names.toUpperCase().match(/\S+/g) ?? []) talk.upstream.session.enabled.add(name)
}

function filtered(talk: Conversation, bytes: Buffer, start: number, end: number): LineVerdict {
  const line = bytes.toString('latin1', start, end + 1)
  const list = /CAPABILITY ([^\]\r\n]*)/i.exec(line)
  if (list) talk.upstream.capabilities = parseCapabilities(list[1]!)
  return Buffer.from(filterCapabilityLine(line), 'latin1')
}
