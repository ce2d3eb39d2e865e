/**
 * The timer of alerts: evaluates the rules, advances each alert, and writes the messages about changes. The replica with
 * the lease does this in one transaction, so that a change and its messages are written together or not at all.
 */
import { randomUUID } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { alertRule, alertRuleNames } from '@imapfleet/api'
import type { Deps } from '../../deps.ts'
import type { Queries } from '../../platform/db/database.ts'
import { readLeases, type Lease } from '../../platform/ticks/leases.ts'
import type { AlertChannel } from './channels.ts'
import { changesMax, type AlertChange, type ChangeKind } from './content.ts'
import { readAlertFacts } from './facts.ts'
import { findingsOfRule, isUnknown, type AlertFacts, type AlertFinding } from './findings.ts'
import { insertMessages } from './message-queries.ts'
import {
  activeSilences,
  deleteAlerts,
  insertAlerts,
  lockCurrentAlerts,
  selectRuleChanges,
  updateAlerts,
  type AlertRow,
} from './queries.ts'
import { effectiveRules, type EffectiveRule } from './rule-settings.ts'
import { matchesSilence, stepAlert, tellAlert, type Observation } from './step.ts'

export const judgeEveryMs = 10_000
/** After a longer pause nothing is known of the time in between. */
const gapMs = 60_000

export async function judgeAlerts(deps: Deps, lease: Lease): Promise<void> {
  const before = (await readLeases(deps.db)).find(({ name }) => name === lease.name)
  const facts = await readAlertFacts(deps)
  const isAfterGap = before !== undefined && before.ageMs > gapMs
  await lease.transaction(async (queries) => {
    await applyFacts(queries, facts, { channels: deps.alerting.channels, isAfterGap })
  })
}

interface ApplyOptions {
  channels: readonly AlertChannel[]
  isAfterGap: boolean
}

/** Within a transaction. */
export async function applyFacts(
  queries: Queries,
  facts: AlertFacts,
  { channels, isAfterGap }: ApplyOptions,
): Promise<void> {
  const now = new Date(facts.now)
  const rules = effectiveRules(await selectRuleChanges(queries))
  const findings = findAll(facts, rules)
  const present = await lockCurrentAlerts(queries)
  const silences = await activeSilences(queries, now)
  const known = new Set(present.map(keyOf))
  const added = await insertAlerts(
    queries,
    [...findings]
      .filter(([key]) => !known.has(key))
      .map(([, { since, ...finding }]) => ({
        ...finding,
        state: 'pending',
        since: new Date(since ?? facts.now),
      })),
  )
  const gone: number[] = []
  const changed: AlertRow[] = []
  const changes: AlertChange[] = []
  for (const alert of [...present, ...added]) {
    const settings = rules.get(alert.rule)
    // A rule of a newer version of control, which runs beside this one.
    if (!settings) continue
    const observed: Observation =
      findings.get(keyOf(alert)) ?? (isUnknown(alert, facts) ? 'unknown' : 'absent')
    const stepped = stepAlert(alert, observed, settings, { now, isAfterGap })
    if (stepped === 'gone') {
      gone.push(alert.id)
      continue
    }
    const isSilenced = silences.some((silence) => matchesSilence(silence, stepped))
    const told = tellAlert(stepped, isSilenced, now)
    if (differs(alert, told.alert)) changed.push(told.alert)
    if (told.change) changes.push(changeOf(told.change, told.alert))
  }
  await updateAlerts(queries, changed)
  await deleteAlerts(queries, gone)
  await insertMessages(queries, alertMessagesFor(channels, changes, now))
}

function findAll(
  facts: AlertFacts,
  rules: ReadonlyMap<string, EffectiveRule>,
): ReadonlyMap<string, AlertFinding> {
  const found = alertRuleNames.flatMap((rule) => {
    const settings = rules.get(rule)
    return settings?.isEnabled ? findingsOfRule(rule, facts, settings.threshold) : []
  })
  return new Map(found.map((finding) => [keyOf(finding), finding]))
}

const keyOf = ({ rule, subject }: { rule: string; subject: string }): string => `${rule} ${subject}`

const differs = (before: AlertRow, after: AlertRow): boolean =>
  (Object.keys(after) as (keyof AlertRow)[]).some((key) => !isDeepStrictEqual(before[key], after[key]))

/** Each channel gets the changes that match its settings, in as few messages as possible. */
export function alertMessagesFor(
  channels: readonly AlertChannel[],
  changes: readonly AlertChange[],
  at: Date,
) {
  return channels.flatMap(({ name, severities, regions }) => {
    const own = changes.filter(
      ({ alert: { severity, region } }) =>
        (severities.length === 0 || severities.includes(severity)) &&
        (regions.length === 0 || region === null || regions.includes(region)),
    )
    const parts = Array.from({ length: Math.ceil(own.length / changesMax) }, (_, part) =>
      own.slice(part * changesMax, (part + 1) * changesMax),
    )
    return parts.map((part) => ({
      id: randomUUID(),
      channel: name,
      at,
      nextAt: at,
      content: { kind: 'changes' as const, changes: part },
    }))
  })
}

export function changeOf(change: ChangeKind, row: AlertRow): AlertChange {
  const { title, severity, action } = alertRule(row.rule)
  const { id, rule, region, edge, subject, text, ackBy, ackUntil, ackReason } = row
  return {
    change,
    alert: {
      ...{ id, rule, severity, title, region, edge, subject, text },
      since: row.since.toISOString(),
      openedAt: row.openedAt?.toISOString() ?? null,
      resolvedAt: row.resolvedAt?.toISOString() ?? null,
      acknowledged:
        ackBy === null || ackUntil === null
          ? null
          : { by: ackBy, until: ackUntil.toISOString(), reason: ackReason ?? '' },
      action,
    },
  }
}
