/** The ways a session ends after its login, and what each leaves behind for the pool to judge. */
import type { LinkEnd } from '../net/link.ts'
import type { SpoilReason } from '../server/server-connection.ts'

export type Ending =
  /** The client said LOGOUT; everything before it has been answered. */
  | { kind: 'logout'; tag: string }
  /** The client's connection is gone without a LOGOUT. */
  | { kind: 'client-gone'; end: LinkEnd }
  /** The server's connection is gone. */
  | { kind: 'upstream-gone'; end: LinkEnd }
  /** The client broke a rule that makes its further bytes unreadable. */
  | { kind: 'violation'; reason: Violation }
  /** No byte either way for too long. */
  | { kind: 'idle-timeout' }
  /** Ended from here: an order, a revocation, the end of a drain. */
  | { kind: 'ended-here'; reason: 'kicked' | 'revoked' | 'shutdown' }

export type Violation = 'line-too-long' | 'literal-too-long' | 'literal-refused'

/** Why a used upstream may not go on to its reset. */
export type HandBackRefusal =
  | 'upstream-gone'
  | 'failed-here'
  | 'open-literal'
  | 'open-continuation'
  | 'extensions-enabled'
  | 'extensions-uncertain'
  | 'kicked'
  | SpoilReason

/** Where the conversation stood when the session ended. */
export interface HandBack {
  refusal: HandBackRefusal | undefined
  unanswered: string[]
  idling: boolean
}
