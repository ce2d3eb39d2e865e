/** How a session ends after its login. */
import type { LinkEnd } from '../net/link.ts'

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
