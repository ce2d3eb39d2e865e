/**
 * The server's responses after login: nearly all pass as they are. Tagged ones settle what was sent; a capability list
 * is cut down to what the edge can keep; replies to the edge's own commands are left out.
 */
import { startsWithWord, wordEnd } from '../imap/bytes.ts'
import { filterCapabilityLine, parseCapabilities } from '../imap/capability.ts'
import type { LineVerdict, ResponseKind } from '../imap/response-scanner.ts'
import type { Conversation } from './conversation.ts'
import type { Sent } from './outstanding.ts'
import { record, tellsChange } from '../imap/selection.ts'

export interface ReplyListener {
  /** A command of the edge's own has been answered. */
  onOwnReply(sent: Sent, ok: boolean, text: string): void
  now(): number
}

/** What becomes of one response. */
export function judgeResponse(
  talk: Conversation,
  kind: ResponseKind,
  bytes: Buffer,
  start: number,
  end: number,
  listener: ReplyListener,
): LineVerdict {
  if (kind === 'untagged') return judgeUntagged(talk, bytes, start, end)
  if (kind === 'continuation') return judgeContinuation(talk)
  const sent = talk.outstanding.take(bytes, start, end)
  if (!sent) {
    talk.upstream.spoil('unexpected-reply')
    return 'pass'
  }
  const statusAt = start + sent.tag.length + 1
  const ok = startsWithWord(bytes, statusAt, 'OK')
  settle(talk, sent, ok)
  if ((sent.verb === 'SELECT' || sent.verb === 'EXAMINE') && startsWithWord(bytes, statusAt, 'NO')) {
    // A SELECT that fails leaves nothing selected (RFC 9051 6.3.2).
    talk.upstream.session.selected = talk.outstanding.isSelecting
  }
  if (sent.own) {
    if (talk.unselecting === sent) talk.unselecting = undefined
    listener.onOwnReply(sent, ok, bytes.toString('latin1', statusAt, end))
    return 'omit'
  }
  if (talk.recording?.sent === sent) {
    const { key, lines } = talk.recording.recording
    talk.recording = undefined
    const text = bytes.toString('latin1', statusAt, end).trimEnd()
    if (ok) talk.upstream.selection = { key, lines: lines.join(''), ok: text, at: listener.now() }
  }
  return showsCapabilities(bytes, statusAt, end) ? filtered(talk, bytes, start, end) : 'pass'
}

/** Whether a status, from its first letter, carries a capability list. */
function showsCapabilities(bytes: Buffer, at: number, end: number): boolean {
  const code = wordEnd(bytes, at, end) + 1
  return bytes[code] === 91 && startsWithWord(bytes, code, '[CAPABILITY')
}

/** What a tagged reply changes. */
function settle(talk: Conversation, sent: Sent, ok: boolean): void {
  const { upstream } = talk
  const { session } = upstream
  if (talk.open === sent) {
    if (talk.blocked === 'continuation') {
      // Refused before its literal was sent (RFC 9051 4.3): what comes next is a new command.
      talk.blocked = undefined
      talk.literal = 0
      talk.open = undefined
    } else {
      // Refused while its literal is under way: the rest of the command still comes (RFC 7888 4).
      upstream.spoil('unexpected-reply')
    }
  } else if (sent.verb === 'IDLE') {
    if (talk.blocked === 'continuation') talk.blocked = undefined
    talk.idle = 'off'
  }
  if (sent.condstore && !session.enabled.has('CONDSTORE') && !session.enabled.has('QRESYNC')) {
    if (ok) {
      session.enabled.add('CONDSTORE')
      session.enabledBy = undefined
    } else upstream.spoil('condstore-uncertain')
  }
  if (talk.enabling === sent) {
    talk.enabling = undefined
    if (session.enabled.size === 0) session.enabledBy = undefined
  }
  if (ok && (sent.verb === 'UNSELECT' || sent.verb === 'CLOSE'))
    session.selected = talk.outstanding.isSelecting
}

function judgeContinuation(talk: Conversation): LineVerdict {
  if (talk.blocked !== 'continuation') {
    talk.upstream.spoil('unexpected-continuation')
    return 'pass'
  }
  talk.blocked = undefined
  if (talk.idle === 'asked') talk.idle = 'on'
  return 'pass'
}

function judgeUntagged(talk: Conversation, bytes: Buffer, start: number, end: number): LineVerdict {
  const at = start + 2
  if (startsWithWord(bytes, at, 'BYE')) {
    talk.upstream.spoil('server-said-bye')
    return 'pass'
  }
  if (talk.kept !== 'none' || talk.unselecting) {
    // Said of a mailbox that this client has not selected; a status may be for the client all the same.
    const isChange = tellsChange(bytes, at, false)
    if (isChange) talk.upstream.selection = undefined
    if (talk.kept === 'asked' || talk.unselecting) return 'omit'
    if (isChange && !startsWithWord(bytes, at, 'OK')) return 'omit'
  }
  if (talk.recording) {
    if (!record(talk.recording.recording, bytes.toString('latin1', start, end + 1)))
      talk.recording = undefined
  } else if (talk.upstream.selection && tellsChange(bytes, at, talk.outstanding.isFetching))
    talk.upstream.selection = undefined
  switch (bytes[at]! & 0xdf) {
    case 67: // C
      return startsWithWord(bytes, at, 'CAPABILITY') ? filtered(talk, bytes, start, end) : 'pass'
    case 69: // E
      if (startsWithWord(bytes, at, 'ENABLED'))
        noteEnabled(talk, bytes.toString('latin1', at + 'ENABLED'.length, end))
      return 'pass'
    case 73: // I
      return talk.outstanding.hasOwn && startsWithWord(bytes, at, 'ID ') ? 'omit' : 'pass'
    case 66: // B
    case 78: // N
    case 79: // O
      return showsCapabilities(bytes, at, end) ? filtered(talk, bytes, start, end) : 'pass'
    default:
      return 'pass'
  }
}

/** Extensions that have come on. The key holds only while they are those of one ENABLE. */
function noteEnabled(talk: Conversation, names: string): void {
  const { session } = talk.upstream
  if (!talk.enabling) session.enabledBy = undefined
  for (const name of names.toUpperCase().match(/\S+/g) ?? []) session.enabled.add(name)
}

function filtered(talk: Conversation, bytes: Buffer, start: number, end: number): LineVerdict {
  const line = bytes.toString('latin1', start, end + 1)
  const list = /CAPABILITY ([^\]\r\n]*)/i.exec(line)
  if (list) talk.upstream.capabilities = parseCapabilities(list[1]!)
  return Buffer.from(filterCapabilityLine(line), 'latin1')
}
