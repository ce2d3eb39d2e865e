/**
 * Recognizes that a server or this machine allows no further connection: by response code, by the words of servers that
 * send no code, or by the error of the system. The pool may then evict idle connections (pool/capacity.ts).
 */
import { isExhaustion, type Exhaustion } from '../net/socket-errors.ts'

/** Why no further connection can be opened. */
export type Shortage =
  /** The server says that the user has as many connections as it allows. */
  | 'user-limit'
  /** The server cannot serve the user now: [UNAVAILABLE] or [INUSE]. It may have reached a limit. */
  | 'user-busy'
  /** The server says that it has as many connections as it allows, in total or from one address. */
  | 'server-limit'
  /** The server closed the connection before its greeting, or sent none. Courier does so at its limits. */
  | 'no-greeting'
  | Exhaustion

/** What became of a shortage. `not-needed`: another connection serves the login, so it must not be dialed again. */
export type CapacityVerdict = 'freed' | 'none' | 'not-needed'

/** What the pool decides on while it opens a connection for a login. */
export interface DialPlace {
  /** Evicts idle connections so that one more can be opened. */
  free(shortage: Shortage): Promise<CapacityVerdict>
  /** Runs a wait before an attempt to connect. Its signal is aborted as soon as `isOver` is true. */
  wait<T>(begin: (signal: AbortSignal) => T | Promise<T>): Promise<T>
  /** No connection must be opened: the login was abandoned, or another connection was leased to it while it waited. */
  readonly isOver: boolean
}

/** Words of Dovecot, Cyrus, Courier and Gmail. */
const words =
  /(too many|max(imum)?( number of)?|limit of|simultaneous|concurrent)\b.{0,40}\b(connections?|sessions?|logins)|connection limit/i

/** Words for a limit on attempts to log in: evicting a connection does not help. */
const ofAttempts = /too many\b.{0,40}\b(attempts|failures|failed|invalid|tries)\b|\brate[- ]?limit/i

/** The server has judged the credentials, whatever else it says. */
const judged = /\b(invalid|incorrect|wrong) (user|login|password|credentials)/i

/**
 * Whether this text of a server, with or without a response code, says that there are too many connections or attempts. It
 * says nothing about the credentials then.
 */
export const reportsTooMany = (text: string): boolean =>
  /^\[LIMIT\]/i.test(text) || words.test(text) || (ofAttempts.test(text) && !judged.test(text))

/** Whether the server refuses a login because it cannot judge it now, and not at a limit. */
export const isNotJudged = (text: string): boolean =>
  /^\[(UNAVAILABLE|SERVERBUG)\]/i.test(text) && !reportsTooMany(text)

/** The shortage that a refused login reports. `text`: the server's answer, without tag and status. */
export function shortageInRefusal(text: string): Shortage | undefined {
  // Cyrus refuses a login also for the connections of all users: `(3 of 3 from localhost [127.0.0.1])`.
  const isOfAll = /\b(from|host|address|server)\b/i.test(text) && !/\buser\b/i.test(text)
  if (ofAttempts.test(text)) return undefined
  if (reportsTooMany(text)) return isOfAll ? 'server-limit' : 'user-limit'
  return /^\[(UNAVAILABLE|INUSE)\]/i.test(text) ? 'user-busy' : undefined
}

/** The shortage behind a connection that failed. `detail`: the last line of the server. */
export function shortageInFailure(reason: string, detail: string): Shortage | undefined {
  if (isExhaustion(reason)) return reason
  if (reason === 'bye' && ofAttempts.test(detail)) return undefined
  if (reason === 'bye' && words.test(detail)) return /\buser\b/i.test(detail) ? 'user-limit' : 'server-limit'
  return undefined
}

/** The same before the greeting, where a server at its limit may only close the connection. */
export function shortageInDial({ reason, detail }: { reason: string; detail: string }): Shortage | undefined {
  if (reason === 'bye' && /\[LIMIT\]/i.test(detail)) return 'server-limit'
  if (reason === 'closed-by-peer' || reason === 'reset-by-peer' || reason === 'timed-out')
    return 'no-greeting'
  const shortage = shortageInFailure(reason, detail)
  return shortage === 'user-limit' ? 'server-limit' : shortage
}

/** Whether a failed dial counts against the server. A limit or a shortage of this machine does not. */
export const countsAsFailure = (shortage: Shortage | undefined): boolean =>
  shortage !== 'server-limit' && !(shortage !== undefined && isExhaustion(shortage))
