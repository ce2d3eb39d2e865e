/**
 * Recognizes that a server or this machine has no room for one more connection: by response code, by the words of servers
 * that send none, or by the error of the system. The pool may then evict idle connections (pool/room.ts).
 */
import { isExhaustion, type Exhaustion } from '../net/socket-errors.ts'

/** What a new connection lacks. */
export type Lack =
  /** The server says that the user has as many connections as it allows. */
  | 'user-limit'
  /** The server cannot serve the user now: [UNAVAILABLE] or [INUSE]. It may have reached a limit. */
  | 'user-busy'
  /** The server says that it has as many connections as it allows, in total or from one address. */
  | 'server-limit'
  /** The server closed the connection before its greeting, or sent none. Courier does so at its limits. */
  | 'no-greeting'
  | Exhaustion

/** Evicts idle connections so that one more can be opened. True: try again. */
export type MakeRoom = (lack: Lack) => Promise<boolean>

/** As of Dovecot, Cyrus, Courier and Gmail. */
const words =
  /(too many|max(imum)?( number of)?|limit of|simultaneous|concurrent)\b.{0,40}\b(connections?|sessions?|logins)|connection limit/i

/** Whether this text of a server, with or without a response code, says that there are too many connections. */
export const saysTooMany = (text: string): boolean => /^\[LIMIT\]/i.test(text) || words.test(text)

/** Why the server refused a login that the edge could send, if it is for lack of room. */
export function lackInRefusal(text: string): Lack | undefined {
  // Cyrus refuses a login also for the connections of all users: `(3 of 3 from localhost [127.0.0.1])`.
  const isOfAll = /\b(from|host|address|server)\b/i.test(text) && !/\buser\b/i.test(text)
  if (saysTooMany(text)) return isOfAll ? 'server-limit' : 'user-limit'
  return /^\[(UNAVAILABLE|INUSE)\]/i.test(text) ? 'user-busy' : undefined
}

/** Why there is no logged-in connection, if it is for lack of room. `detail`: what the server sent last. */
export function lackInFailure(reason: string, detail: string): Lack | undefined {
  if (isExhaustion(reason)) return reason
  if (reason === 'bye' && words.test(detail)) return /\buser\b/i.test(detail) ? 'user-limit' : 'server-limit'
  return undefined
}

/** The same before the greeting, when the end of the connection can be the answer of a full server. */
export function lackInDial({ reason, detail }: { reason: string; detail: string }): Lack | undefined {
  if (reason === 'bye' && /\[LIMIT\]/i.test(detail)) return 'server-limit'
  if (reason === 'closed-by-peer' || reason === 'reset-by-peer' || reason === 'timed-out')
    return 'no-greeting'
  const lack = lackInFailure(reason, detail)
  return lack === 'user-limit' ? 'server-limit' : lack
}

/** Whether the failure says nothing about the health of the server. */
export const sparesServer = (lack: Lack | undefined): boolean =>
  lack === 'server-limit' || (lack !== undefined && isExhaustion(lack))
