/** How a session ends after its login, and what the edge sends to the client then. */
import type { LinkEnd } from '../net/link.ts'

export type Ending =
  /** The client sent LOGOUT, and everything before it has been answered. */
  | { kind: 'logout'; tag: string }
  /** The client's connection ended without a LOGOUT. */
  | { kind: 'client-gone'; end: LinkEnd }
  /** The server connection ended. */
  | { kind: 'upstream-gone'; end: LinkEnd }
  /** The client broke a rule, and its further bytes cannot be parsed. */
  | { kind: 'violation'; reason: Violation }
  /** The server did not send replies that later commands wait for. `logoutTag`: a LOGOUT was waiting. */
  | { kind: 'reply-overdue'; logoutTag: string | undefined }
  /** The edge left the client's mailbox ahead of the client, and does not know its changes exactly (ADR 52). */
  | { kind: 'mailbox-lost' }
  /** No byte in either direction for too long. */
  | { kind: 'idle-timeout' }
  /** Ended by the edge: an order of an operator, or the end of a drain. */
  | { kind: 'kicked' | 'shutdown' }

export type Violation = 'line-too-long' | 'literal-too-long' | 'literal-refused'

/** What the edge sends at the end of a session. Undefined: nothing, because the client has disconnected. */
export function goodbye(ending: Ending): string | undefined {
  switch (ending.kind) {
    case 'logout':
      return loggedOut(ending.tag)
    case 'reply-overdue':
      return ending.logoutTag === undefined
        ? '* BYE [UNAVAILABLE] The mail server does not answer\r\n'
        : loggedOut(ending.logoutTag)
    case 'mailbox-lost':
      return '* BYE [UNAVAILABLE] The mailbox has changed, try again\r\n'
    case 'upstream-gone':
      return '* BYE [UNAVAILABLE] Connection to the mail server is lost\r\n'
    case 'violation':
      return `* BYE ${violationText[ending.reason]}\r\n`
    case 'idle-timeout':
      return '* BYE Idle for too long\r\n'
    case 'shutdown':
      return '* BYE Server is stopping, try again\r\n'
    case 'kicked':
      return '* BYE Session ended by the operator\r\n'
    case 'client-gone':
      return undefined
  }
}

const loggedOut = (tag: string): string => `* BYE Logging out\r\n${tag} OK Completed\r\n`

const violationText = {
  'line-too-long': 'Command line too long',
  'literal-too-long': 'Literal too long',
  'literal-refused': 'Command with a literal is not available',
} as const
