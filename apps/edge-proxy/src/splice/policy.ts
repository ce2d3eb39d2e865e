/**
 * What a command after login means for the edge: whether it passes, is answered or refused here, and what it leaves on
 * the connection that a later session would inherit. Pure; the splice acts on it.
 */
import { containsWord, startsWithWord } from '../imap/bytes.ts'
import type { Verb } from '../imap/verb.ts'
import type { SpoilReason } from '../server/server-connection.ts'

export type Policy =
  | { kind: 'pass' }
  /** Answered here, once everything before it has been answered. */
  | { kind: 'answer'; what: 'logout' | 'capability' | 'id' | 'enable' | 'select' }
  /** Answered BAD here: it would change who is logged in or what the bytes mean. */
  | { kind: 'refuse'; text: string }

const pass: Policy = { kind: 'pass' }
const logout: Policy = { kind: 'answer', what: 'logout' }
const capability: Policy = { kind: 'answer', what: 'capability' }
const id: Policy = { kind: 'answer', what: 'id' }
const enable: Policy = { kind: 'answer', what: 'enable' }
const secondLogin: Policy = { kind: 'refuse', text: 'Already logged in' }
const notHere: Policy = { kind: 'refuse', text: 'Command not available through this proxy' }

export interface AnswerOptions {
  answerCapability: boolean
  answerId: boolean
  selectCache: 'off' | 'exact' | 'window'
}

export function policyOf(verb: Verb, options: AnswerOptions): Policy {
  switch (verb) {
    case 'LOGOUT':
      return logout
    case 'CAPABILITY':
      return options.answerCapability ? capability : pass
    case 'ID':
      return options.answerId ? id : pass
    case 'ENABLE':
      return enable
    case 'LOGIN':
    case 'AUTHENTICATE':
    case 'PROXYAUTH':
    case 'STARTTLS':
      return secondLogin
    case 'UNAUTHENTICATE':
    case 'COMPRESS':
      return notHere
    default:
      return pass
  }
}

/** Commands that leave something which no reset undoes. */
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
      // RFC 5267: SEARCH RETURN (UPDATE) goes on sending. Seen anywhere in the line: a false alarm costs one connection.
      return containsWord(bytes, from, to, 'RETURN') && containsWord(bytes, from, to, 'UPDATE')
        ? 'search-update'
        : undefined
    default:
      return undefined
  }
}

/**
 * Whether this part of a command may switch CONDSTORE on by itself (RFC 7162 3.1, "CONDSTORE enabling commands"), whichever
 * verb it belongs to. A false alarm, such as a mailbox of that name, costs one connection.
 */
export function mayEnableCondstore(bytes: Buffer, from: number, to: number): boolean {
  for (let at = from; at < to; at++) {
    switch (bytes[at]! & 0xdf) {
      case 67: // C
        if (startsWithWord(bytes, at, 'CONDSTORE') || startsWithWord(bytes, at, 'CHANGEDSINCE')) return true
        break
      case 77: // M
        if (startsWithWord(bytes, at, 'MODSEQ')) return true
        break
      case 81: // Q
        if (startsWithWord(bytes, at, 'QRESYNC')) return true
        break
    }
  }
  return false
}

/** Whether the command may select a mailbox, or leave one selected by failing to. */
export const maySelect = (verb: Verb): boolean => verb === 'SELECT' || verb === 'EXAMINE'
