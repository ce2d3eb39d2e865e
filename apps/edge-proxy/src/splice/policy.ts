/**
 * What a command after login means for the edge: whether it passes, is answered or refused here, and what it leaves on
 * the connection that a later session would inherit. Pure; the splice acts on it.
 */
import { containsWord } from '../imap/bytes.ts'
import type { Verb } from '../imap/verb.ts'
import type { Taint } from '../upstream/upstream.ts'

export type Policy =
  | { kind: 'pass' }
  /** Answered here, once everything before it has been answered. */
  | { kind: 'answer'; what: 'logout' | 'capability' | 'id' }
  /** Answered BAD here: it would change who is logged in or what the bytes mean. */
  | { kind: 'refuse'; text: string }

const pass: Policy = { kind: 'pass' }
const logout: Policy = { kind: 'answer', what: 'logout' }
const capability: Policy = { kind: 'answer', what: 'capability' }
const id: Policy = { kind: 'answer', what: 'id' }
const secondLogin: Policy = { kind: 'refuse', text: 'Already logged in' }
const notHere: Policy = { kind: 'refuse', text: 'Command not available through this proxy' }

export interface AnswerOptions {
  answerCapability: boolean
  answerId: boolean
}

export function policyOf(verb: Verb, options: AnswerOptions): Policy {
  switch (verb) {
    case 'LOGOUT':
      return logout
    case 'CAPABILITY':
      return options.answerCapability ? capability : pass
    case 'ID':
      return options.answerId ? id : pass
    case 'LOGIN':
    case 'AUTHENTICATE':
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
export function taintOf(verb: Verb, bytes: Buffer, from: number, to: number): Taint | undefined {
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

const condstoreVerbs: ReadonlySet<Verb> = new Set<Verb>([
  'SELECT',
  'EXAMINE',
  'FETCH',
  'STATUS',
  'SEARCH',
  'STORE',
  'SORT',
  'THREAD',
  'UID',
])

/** Whether this part of a command may switch CONDSTORE on by itself (RFC 7162 3.1: "CONDSTORE enabling commands"). */
export function mayEnableCondstore(verb: Verb, bytes: Buffer, from: number, to: number): boolean {
  if (!condstoreVerbs.has(verb)) return false
  // CONDSTORE, MODSEQ, HIGHESTMODSEQ, (UN)CHANGEDSINCE, QRESYNC.
  return (
    containsWord(bytes, from, to, 'MODSEQ') ||
    containsWord(bytes, from, to, 'CHANGEDSINCE') ||
    containsWord(bytes, from, to, 'CONDSTORE') ||
    containsWord(bytes, from, to, 'QRESYNC')
  )
}

/** Whether the command may select a mailbox, or leave one selected by failing to. */
export const maySelect = (verb: Verb): boolean => verb === 'SELECT' || verb === 'EXAMINE'
