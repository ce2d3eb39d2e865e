/**
 * The timer that sends messages: only the replica with the lease sends, the messages of a channel in their order. A message is
 * tried until its channel accepts it, for a day. It is sent again only if the process ended between the acceptance and the
 * commit; then it has the same id.
 */
import { backoffMs, retry } from '@imapfleet/retry'
import type { Deps } from '../../deps.ts'
import { isPassing } from '../../platform/db/trouble.ts'
import type { Lease } from '../../platform/ticks/leases.ts'
import type { AlertChannel } from './channels.ts'
import { oldestWaiting, settleMessage, type MessageRow } from './message-queries.ts'
import { sendMessage, type SendOutcome } from './send.ts'

export const deliverEveryMs = 2_000
/** A run ends after this time, so that the timer is not overdue while a channel is slow. */
const runMs = 20_000
const pauses = { firstMs: 5_000, lastMs: 600_000 }
export const givenUpMs = 86_400_000
/** For the commit after a message was accepted. */
const commitPauses = { firstMs: 200, lastMs: 2_000, attemptsMax: 10 }

export async function sendAlertMessages(deps: Deps, lease: Lease): Promise<void> {
  const endsAt = performance.now() + runMs
  const { channels } = deps.alerting
  const results = await Promise.allSettled(
    channels.map(async (channel) => {
      while (performance.now() < endsAt && (await sendOldest(deps, lease, channel))) continue
    }),
  )
  for (const result of results) if (result.status === 'rejected') throw result.reason as Error
}

/** False: nothing to send now. */
async function sendOldest(deps: Deps, lease: Lease, channel: AlertChannel): Promise<boolean> {
  const { db, now, alerting } = deps
  const message = await oldestWaiting(db.orm, channel.name)
  if (!message || message.nextAt.getTime() > now()) return false
  await lease.check()
  const outcome = await sendMessage(channel, message, { consoleUrl: alerting.consoleUrl, now: now() })
  tell(deps, channel, message, outcome)
  // An accepted message is noted even if the lease was lost: otherwise another replica would send it again.
  const settled = settlement(message, outcome, now())
  const settle = async () => await settleMessage(db.orm, message.number, settled)
  await (outcome.ok ? retry(settle, { ...commitPauses, isPassing }) : settle())
  return outcome.ok || settled.state === 'failed'
}

/** What is stored about an attempt. */
export function settlement(
  message: Pick<MessageRow, 'attempts' | 'at'>,
  outcome: SendOutcome,
  now: number,
  random: () => number = Math.random,
): Pick<MessageRow, 'attempts' | 'error' | 'state'> & Partial<Pick<MessageRow, 'sentAt' | 'nextAt'>> {
  const attempts = message.attempts + 1
  if (outcome.ok) return { attempts, state: 'sent', sentAt: new Date(now), error: outcome.remark ?? null }
  const isGivenUp = now - message.at.getTime() >= givenUpMs
  return {
    attempts,
    error: outcome.reason,
    state: isGivenUp ? 'failed' : 'waiting',
    nextAt: new Date(now + backoffMs(message.attempts, { ...pauses, random })),
  }
}

function tell(
  { log, metrics }: Deps,
  { name }: AlertChannel,
  message: MessageRow,
  outcome: SendOutcome,
): void {
  const result = outcome.ok ? 'sent' : 'failed'
  metrics.counters.control_alert_messages_total({ channel: name, result }).value++
  if (!outcome.ok && message.attempts === 0)
    log.warn('a message about alerts cannot be sent', { channel: name, reason: outcome.reason })
  if (outcome.ok && message.attempts > 0)
    log.info('messages about alerts can be sent again', { channel: name })
}
