/** The content of a message to a channel, as it is stored until it is sent. It has no secrets. */
import type { AlertRuleName, AlertSeverity } from '@imapfleet/api'

export type MessageContent =
  | { kind: 'changes'; changes: AlertChange[] }
  /** A test message, ordered by someone. */
  | { kind: 'test'; by: string }

/** `reminded`: the time of its acknowledgement is over, and it is still open. */
export type ChangeKind = 'opened' | 'resolved' | 'acknowledged' | 'reminded'

export interface AlertChange {
  change: ChangeKind
  /** As of the change. Times are in ISO 8601. */
  alert: {
    id: number
    rule: AlertRuleName
    severity: AlertSeverity
    title: string
    region: string | null
    edge: string | null
    subject: string
    text: string
    since: string
    openedAt: string | null
    resolvedAt: string | null
    acknowledged: { by: string; until: string; reason: string } | null
    action: string
  }
}

/** In one message. More changes are more messages. */
export const changesMax = 100
