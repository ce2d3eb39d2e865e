/**
 * Recognizes that a server or this machine allows no further connection: by a response code, by the text of servers that
 * send no code, or by a system error. The pool may then evict idle connections (pool/capacity.ts).
 */
import { isExhaustion, type Exhaustion } from '../net/socket-errors.ts'

/** Why no further connection can be opened. */
export type Shortage =
  /** The server says that the user has reached its limit on connections. */
  | 'user-limit'
  /** The server cannot serve the user now: [UNAVAILABLE] or [INUSE]. It may have reached a limit. */
  | 'user-busy'
  /** The server says that its limit on connections is reached, in total or for one address. */
  | 'server-limit'
  /** The server closed the connection before its greeting, or sent none. Courier does so at its limits. */
  | 'no-greeting'
  | Exhaustion

/** The result of `free`. `not-needed`: an idle connection was leased to the login, so no further dial is needed. */
export type CapacityVerdict = 'freed' | 'none' | 'not-needed'

/** The pool's part in opening a connection for a login. */
export interface DialPlace {
  /** The configuration of the server, and the limit learned from its refusals, allow one more connection now. */
  readonly hasRoom: boolean
  /** Evicts idle connections so that one more can be opened. */
  free(shortage: Shortage): Promise<CapacityVerdict>
  /** Runs a wait before an attempt to connect. Its signal is aborted as soon as `isOver` is true. */
  wait<T>(begin: (signal: AbortSignal) => T | Promise<T>): Promise<T>
  /** No connection must be opened: the login was abandoned, or another connection was leased to it while it waited. */
  readonly isOver: boolean
}

/** Texts of Dovecot, Cyrus, Courier and Gmail. */
const words =
  /(too many|max(imum)?( number of)?|limit of|simultaneous|concurrent)\b.{0,40}\b(connections?|sessions?|logins)|connection limit/i

/** Texts for a limit on attempts to log in. Evicting a connection does not help then. */
const ofAttempts = /too many\b.{0,40}\b(attempts|failures|failed|invalid|tries)\b|\brate[- ]?limit/i

/** Texts that refuse the credentials, even if they also mention a limit. */
const judged = /\b(invalid|incorrect|wrong) (user|login|password|credentials)/i

/**
 * Whether this text of a server, with or without a response code, says that there are too many connections or attempts. The
 * text then says nothing about the credentials.
 */
export const reportsTooMany = (text: string): boolean =>
  /^\[LIMIT\]/i.test(text) || words.test(text) || (ofAttempts.test(text) && !judged.test(text))

/** Whether the server refuses a login because it cannot check it now, other than at a limit. */
export const isNotJudged = (text: string): boolean =>
  /^\[(UNAVAILABLE|SERVERBUG)\]/i.test(text) && !reportsTooMany(text)

/** The shortage that a refused login reports. `text`: the server's answer, without tag and status. */
export function shortageInRefusal(text: string): Shortage | undefined {
  // Cyrus also refuses logins because of the connections of all users: `(3 of 3 from localhost [127.0.0.1])`.
  const isOfAll = /\b(from|host|address|server)\b/i.test(text) && !/\buser\b/i.test(text)
  if (ofAttempts.test(text)) return undefined
  if (reportsTooMany(text)) return isOfAll ? 'server-limit' : 'user-limit'
  return /^\[(UNAVAILABLE|INUSE)\]/i.test(text) ? 'user-busy' : undefined
}

/** The shortage that made a connection fail. `detail`: the last line of the server. */
export function shortageInFailure(reason: string, detail: string): Shortage | undefined {
  if (isExhaustion(reason)) return reason
  if (reason === 'bye' && ofAttempts.test(detail)) return undefined
  if (reason === 'bye' && words.test(detail)) return /\buser\b/i.test(detail) ? 'user-limit' : 'server-limit'
  return undefined
}

/** The shortage that made a dial fail. A server at its limit may close the connection without a greeting. */
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
