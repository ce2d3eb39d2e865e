/** How a session ends after its login, and what it hands back to the pool. */
import type { LinkEnd } from '../net/link.ts'
import type { ServerConnection, SpoilReason } from '../server/server-connection.ts'

export type Ending =
  /** The client sent LOGOUT, and everything before it has been answered. */
  | { kind: 'logout'; tag: string }
  /** The client's connection ended without a LOGOUT. */
  | { kind: 'client-gone'; end: LinkEnd }
  /** The server connection ended. */
  | { kind: 'upstream-gone'; end: LinkEnd }
  /** The client broke a rule, and its further bytes cannot be read as commands. */
  | { kind: 'violation'; reason: Violation }
  /** No byte in either direction for too long. */
  | { kind: 'idle-timeout' }
  /** Ended by the edge: an order, a revocation, the end of a drain. */
  | { kind: 'ended-here'; reason: 'kicked' | 'revoked' | 'shutdown' }

export type Violation = 'line-too-long' | 'literal-too-long' | 'literal-refused'

/** Why a used server connection may not go on to its reset; a label value of `reuse_refused_total`. */
export type HandBackRefusal =
  | 'upstream-gone'
  | 'failed-here'
  | 'open-literal'
  | 'open-continuation'
  | 'extensions-enabled'
  | 'extensions-uncertain'
  | 'kicked'
  | SpoilReason

/** The session's server connection, and what the pool must know to reset it. */
export interface HandBack {
  connection: ServerConnection
  /** Undefined: it may be reset and reused. */
  refusal: HandBackRefusal | undefined
  /** Tags of the commands that the server has not answered. */
  unanswered: string[]
  /** The server is in IDLE and waits for DONE (RFC 2177). */
  idling: boolean
}
