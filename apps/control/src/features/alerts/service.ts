/** The operations on alerts: list, acknowledge, silence, change rules, test channels. */
import { randomUUID } from 'node:crypto'
import {
  alertRuleNames,
  isLimited,
  type AccessLimits,
  type AlertChannelView,
  type AlertDetail,
  type AlertMessage,
  type AlertRuleName,
  type AlertRuleSettings,
  type AlertRuleView,
  type AlertSilence,
  type AlertSilenceRequest,
  type AlertView,
} from '@imapfleet/api'
import type { Deps } from '../../deps.ts'
import type { Actor } from '../../platform/access.ts'
import type { Queries } from '../../platform/db/database.ts'
import { pageOf } from '../../platform/db/page-of.ts'
import { inSnapshot } from '../../platform/db/snapshot.ts'
import { ServiceError } from '../../platform/errors.ts'
import { writeAudit } from '../audit/service.ts'
import { countEdgesByRegion } from '../edges/service.ts'
import { changeOf, alertMessagesFor } from './judge.ts'
import {
  countByChannel,
  forgetOldMessages,
  insertMessages,
  lastAttempts,
  messagesAbout,
} from './message-queries.ts'
import {
  activeSilences,
  countOpenByRegion,
  deleteRuleChange,
  findAlert,
  findSilence,
  forgetOldAlerts,
  forgetOldReplicas,
  insertSilence,
  lockAlert,
  lockRuleChange,
  markSilenceEnded,
  selectAlerts,
  selectRuleChanges,
  selectSilences,
  updateAlerts,
  writeRuleChange,
  type AlertPage,
  type AlertRow,
  type RuleChangeRow,
} from './queries.ts'
import { precedingOf } from './preceding.ts'
import { checkThreshold, ruleView } from './rule-settings.ts'
import { alertView, channelView, messageView, silenceView } from './view.ts'

type Reading = Pick<Deps, 'db' | 'now' | 'alerting'>

/** Open and pending ones: pages first. Others: newest first. */
export async function listAlerts(
  deps: Reading,
  limits: AccessLimits,
  page: AlertPage,
): Promise<{ alerts: AlertView[]; next: number | null; problems: string[] }> {
  const { channels } = isLimited(limits) ? { channels: [] } : await listAlertChannels(deps)
  return await inSnapshot(deps.db, async (queries) => {
    const { shown, next } = await pageOf(
      page,
      (asked) => selectAlerts(queries, limits, asked),
      ({ id }) => id,
    )
    const silences = await activeSilences(queries, new Date(deps.now()))
    return {
      alerts: shown.map((row) => alertView(row, silences)),
      next,
      problems: channels.flatMap(({ name, problem, waiting }) =>
        problem === null ? [] : [`The channel ${name} has a problem: ${problem}. ${waitingText(waiting)}`],
      ),
    }
  })
}

const waitingText = (waiting: number): string =>
  waiting === 0 ? 'No message waits.' : waiting === 1 ? '1 message waits.' : `${waiting} messages wait.`

export async function readAlert(deps: Reading, actor: Actor, id: number): Promise<AlertDetail> {
  const now = new Date(deps.now())
  return await inSnapshot(deps.db, async (queries) => {
    const row = await findAlert(queries, actor.limits, id)
    if (!row) throw alertUnknown(id)
    return {
      ...alertView(row, await activeSilences(queries, now)),
      extent: await extentOf(queries, actor.limits, row),
      preceding: await precedingOf(queries, actor, row, now),
      messages: (await messagesAbout(queries, id)).map(messageView),
    }
  })
}

/** Which edges have the same alert now: one edge, a region, or the whole fleet. */
async function extentOf(
  queries: Queries,
  limits: AccessLimits,
  { rule, region, edge, state }: AlertRow,
): Promise<AlertDetail['extent']> {
  if (edge === null || state === 'resolved') return []
  const open = await countOpenByRegion(queries, limits, rule)
  const all = await countEdgesByRegion(queries, limits)
  return all
    .map(({ region: name, total }) => ({ region: name, edges: open.get(name) ?? 0, of: total }))
    .toSorted((one, other) => Number(other.region === region) - Number(one.region === region))
}

const alertUnknown = (id: number) =>
  new ServiceError('alert_unknown', `No alert has the number ${id}: GET /v1/alerts lists all alerts.`)

/** An acknowledgement of an alert that was acknowledged before replaces the earlier one. */
export async function acknowledgeAlert(
  deps: Reading,
  actor: Actor,
  id: number,
  { reason, seconds }: { reason: string; seconds: number },
): Promise<AlertView> {
  const now = new Date(deps.now())
  const until = new Date(now.getTime() + seconds * 1000)
  return await deps.db.orm.transaction(async (tx) => {
    const row = await lockAlert(tx, actor.limits, id)
    if (!row) throw alertUnknown(id)
    if (row.state !== 'open')
      throw new ServiceError(
        'alert_not_open',
        row.state === 'resolved'
          ? `The alert ${id} was resolved at ${row.resolvedAt?.toISOString() ?? 'an unknown time'}: there is nothing to acknowledge.`
          : `The alert ${id} is pending: it can be acknowledged when it is open. To mute it now, silence it.`,
      )
    const acknowledged = { ...row, ackBy: actor.name, ackAt: now, ackUntil: until, ackReason: reason }
    await updateAlerts(tx, [acknowledged])
    await writeAudit(tx, {
      actor: actor.name,
      action: 'alert.acknowledge',
      target: `${row.rule}/${row.subject}`,
      after: { id, reason, until: until.toISOString() },
    })
    const silences = await activeSilences(tx, now)
    const shown = alertView(acknowledged, silences)
    // Only channels that got the opening get the acknowledgement.
    if (row.toldAt !== null && shown.silencedBy === null)
      await insertMessages(
        tx,
        alertMessagesFor(deps.alerting.channels, [changeOf('acknowledged', acknowledged)], now),
      )
    return shown
  })
}

/** Newest first. */
export async function listAlertSilences(
  { db, now }: Reading,
  page: { limit: number; before?: number | undefined },
): Promise<{ silences: AlertSilence[]; next: number | null }> {
  const { shown, next } = await pageOf(
    page,
    (asked) => selectSilences(db.orm, asked),
    ({ id }) => id,
  )
  return { silences: shown.map((row) => silenceView(row, now())), next }
}

export async function silenceAlerts(
  { db, now }: Reading,
  actor: Actor,
  { seconds, reason, ...matching }: AlertSilenceRequest,
): Promise<AlertSilence> {
  const createdAt = new Date(now())
  const endsAt = new Date(createdAt.getTime() + seconds * 1000)
  return await db.orm.transaction(async (tx) => {
    const row = await insertSilence(tx, { ...matching, reason, createdBy: actor.name, createdAt, endsAt })
    await writeAudit(tx, {
      actor: actor.name,
      action: 'alerts.silence',
      target: silenceText(matching),
      after: { id: row.id, reason, endsAt: endsAt.toISOString() },
    })
    return silenceView(row, now())
  })
}

const silenceText = (matching: Readonly<Record<string, string | undefined>>): string =>
  Object.entries(matching)
    .flatMap(([key, value]) => (value === undefined ? [] : [`${key}/${value}`]))
    .join(' ') || 'all'

/** A silence that has ended stays unchanged. */
export async function endAlertSilence({ db, now }: Reading, actor: Actor, id: number): Promise<AlertSilence> {
  return await db.orm.transaction(async (tx) => {
    const ended = await markSilenceEnded(tx, id, actor.name, new Date(now()))
    if (ended)
      await writeAudit(tx, {
        actor: actor.name,
        action: 'alerts.unsilence',
        target: String(id),
        before: { reason: ended.reason },
      })
    const row = ended ?? (await findSilence(tx, id))
    if (row) return silenceView(row, now())
    throw new ServiceError(
      'alert_silence_unknown',
      `No silence has the number ${id}: GET /v1/alert-silences lists all silences.`,
    )
  })
}

export async function listAlertRules({ db }: Pick<Deps, 'db'>): Promise<{ rules: AlertRuleView[] }> {
  const changes = new Map((await selectRuleChanges(db.orm)).map((change) => [change.rule, change]))
  return { rules: alertRuleNames.map((rule) => ruleView(rule, changes.get(rule))) }
}

/** What is not given stays as it is. */
export async function changeAlertRule(
  { db, now }: Reading,
  actor: Actor,
  rule: AlertRuleName,
  settings: AlertRuleSettings,
): Promise<AlertRuleView> {
  checkThreshold(rule, settings)
  return await db.orm.transaction(async (tx) => {
    const before = await lockRuleChange(tx, rule)
    const {
      enabled = null,
      threshold = null,
      holdSeconds = null,
      clearSeconds = null,
    } = { ...before, ...settings }
    const row = {
      rule,
      enabled,
      threshold,
      holdSeconds,
      clearSeconds,
      changedBy: actor.name,
      changedAt: new Date(now()),
    }
    await writeRuleChange(tx, row)
    return await auditRule(tx, actor, rule, before, row)
  })
}

/** Returns the rule as it is now. Undefined: its settings are the defaults. */
async function auditRule(
  tx: Queries,
  actor: Actor,
  rule: AlertRuleName,
  before: RuleChangeRow | undefined,
  after: RuleChangeRow | undefined,
): Promise<AlertRuleView> {
  const changed = ruleView(rule, after)
  await writeAudit(tx, {
    actor: actor.name,
    action: 'alerts.rule',
    target: rule,
    before: settingsOf(ruleView(rule, before)),
    after: settingsOf(changed),
  })
  return changed
}

const settingsOf = ({ enabled, threshold, holdSeconds, clearSeconds }: AlertRuleView) => ({
  enabled,
  threshold,
  holdSeconds,
  clearSeconds,
})

export async function resetAlertRule(
  { db }: Pick<Deps, 'db'>,
  actor: Actor,
  rule: AlertRuleName,
): Promise<AlertRuleView> {
  return await db.orm.transaction(async (tx) => {
    const before = await lockRuleChange(tx, rule)
    if (!before) return ruleView(rule, undefined)
    await deleteRuleChange(tx, rule)
    return await auditRule(tx, actor, rule, before, undefined)
  })
}

export async function listAlertChannels({
  db,
  alerting,
}: Pick<Deps, 'db' | 'alerting'>): Promise<{ channels: AlertChannelView[]; deadMan: boolean }> {
  const names = alerting.channels.map(({ name }) => name)
  const counts = await countByChannel(db.orm)
  const last = new Map((await lastAttempts(db.orm, names)).map((row) => [row.channel, row]))
  return {
    channels: alerting.channels.map((channel) =>
      channelView(channel, counts.get(channel.name), last.get(channel.name)),
    ),
    deadMan: alerting.deadManUrl !== undefined,
  }
}

/** The message is sent within seconds, after the messages that wait. */
export async function testAlertChannel(
  { db, now, alerting }: Reading,
  actor: Actor,
  name: string,
): Promise<AlertMessage> {
  if (!alerting.channels.some((channel) => channel.name === name))
    throw new ServiceError(
      'alert_channel_unknown',
      `No channel is named ${name}: control reads the channels from its ALERTS_FILE, at its start.`,
    )
  const at = new Date(now())
  return await db.orm.transaction(async (tx) => {
    const [row] = await insertMessages(tx, [
      { id: randomUUID(), channel: name, at, nextAt: at, content: { kind: 'test', by: actor.name } },
    ])
    if (!row) throw new Error('the message was not written')
    await writeAudit(tx, { actor: actor.name, action: 'alerts.test', target: name, after: { id: row.id } })
    return messageView(row)
  })
}

export async function forgetOldAlerting({ db }: Pick<Deps, 'db'>): Promise<void> {
  await forgetOldAlerts(db.orm)
  await forgetOldMessages(db.orm)
  await forgetOldReplicas(db.orm)
}
