/** Alerts, silences, messages and channels in the form of the API. */
import {
  alertRule,
  type AlertChannelView,
  type AlertMessage,
  type AlertSilence,
  type AlertView,
} from '@imapfleet/api'
import { channelTarget, type AlertChannel } from './channels.ts'
import type { ChannelCounts, MessageRow } from './message-queries.ts'
import type { AlertRow, SilenceRow } from './queries.ts'
import { matchesSilence } from './step.ts'

export function alertView(row: AlertRow, silences: readonly SilenceRow[]): AlertView {
  const { id, rule, subject, region, edge, text, state, ackBy, ackAt, ackUntil, ackReason } = row
  const { severity, title, action } = alertRule(rule)
  return {
    ...{ id, rule, severity, title, subject, region, edge, text, state },
    since: row.since.toISOString(),
    openedAt: row.openedAt?.toISOString() ?? null,
    resolvedAt: row.resolvedAt?.toISOString() ?? null,
    acknowledged:
      ackBy === null || ackAt === null || ackUntil === null
        ? null
        : { by: ackBy, at: ackAt.toISOString(), until: ackUntil.toISOString(), reason: ackReason ?? '' },
    silencedBy:
      state === 'resolved' ? null : (silences.find((each) => matchesSilence(each, row))?.id ?? null),
    action,
  }
}

export const silenceView = (row: SilenceRow, now: number): AlertSilence => ({
  ...row,
  createdAt: row.createdAt.toISOString(),
  endsAt: row.endsAt.toISOString(),
  isActive: row.endedBy === null && row.endsAt.getTime() > now,
})

export const messageView = (row: MessageRow): AlertMessage => ({
  id: row.id,
  channel: row.channel,
  at: row.at.toISOString(),
  state: row.state,
  attempts: row.attempts,
  sentAt: row.sentAt?.toISOString() ?? null,
  error: row.error,
})

export const channelView = (
  channel: AlertChannel,
  counts: ChannelCounts | undefined,
  last: MessageRow | undefined,
): AlertChannelView => ({
  name: channel.name,
  kind: channel.kind,
  target: channelTarget(channel),
  severities: [...channel.severities],
  regions: [...channel.regions],
  waiting: counts?.waiting ?? 0,
  failed: counts?.failed ?? 0,
  lastSentAt: counts?.lastSentAt?.toISOString() ?? null,
  problem: last?.error ?? null,
})
