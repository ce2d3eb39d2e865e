/** How alerts, silences, rules and channels are printed. */
import {
  extentText,
  safe,
  withMoments,
  type AlertChannelView,
  type AlertDetail,
  type AlertMessage,
  type AlertPreceding,
  type AlertRuleView,
  type AlertSilence,
  type AlertView,
} from '@imapfleet/api'
import type { Style } from './colour.ts'
import { facts, table, type Column, type TableLayout } from './table.ts'
import { timeColumn } from './time-column.ts'
import { dayAndClock, duration } from './time.ts'

export const alertColumns = (now: number): Column<AlertView>[] => [
  { title: 'NUMBER', cell: ({ id }) => String(id), align: 'right' },
  { title: 'STATE', cell: alertState, style: alertStyle },
  { title: 'SEVERITY', cell: ({ severity }) => severity, hide: 'first' },
  { title: 'FOR', cell: (alert) => alertDuration(alert, now), align: 'right' },
  { title: 'REGION', cell: ({ region }) => region ?? '' },
  { title: 'RULE', cell: ({ rule }) => rule, hide: 'first' },
  // The cause is at the end.
  { title: 'WHAT', cell: alertText, raw: ({ text }) => text, cut: 'middle', hide: 'never', room: 40 },
]

const alertText = ({ text }: AlertView): string => withMoments(text, dayAndClock)

function alertState({ state, acknowledged, silencedBy }: AlertView): string {
  if (state !== 'open') return state
  return acknowledged ? 'acknowledged' : silencedBy === null ? 'open' : 'silenced'
}

function alertStyle(alert: AlertView): Style | undefined {
  if (alertState(alert) !== 'open') return 'dim'
  return alert.severity === 'page' ? 'red' : 'yellow'
}

const alertDuration = ({ since, resolvedAt }: AlertView, now: number): string =>
  duration((resolvedAt === null ? now : Date.parse(resolvedAt)) - Date.parse(since))

export function alertInFull(alert: AlertDetail, now: number, page: TableLayout): string[] {
  const { acknowledged, silencedBy, openedAt, resolvedAt } = alert
  const where = extentText(alert.extent)
  const lines = facts(
    [
      ['alert', `${alert.id}: ${alert.title} (${alert.rule}, ${alert.severity})`],
      ['what', alertText(alert)],
      ...(where === '' ? [] : [['where', where] as const]),
      ['do', alert.action],
      ['state', alertState(alert)],
      ['since', `${dayAndClock(alert.since)}, for ${alertDuration(alert, now)}`],
      ...(openedAt === null ? [] : [['opened', dayAndClock(openedAt)] as const]),
      ...(resolvedAt === null ? [] : [['resolved', dayAndClock(resolvedAt)] as const]),
      ...(acknowledged
        ? [
            [
              'acknowledged',
              `by ${acknowledged.by} until ${dayAndClock(acknowledged.until)}: ${acknowledged.reason}`,
            ] as const,
          ]
        : []),
      ...(silencedBy === null ? [] : [['silenced', `by silence ${silencedBy}`] as const]),
    ],
    page,
  )
  const messages = table(messageColumns, alert.messages, page)
  if (page.collect) return messages
  return [
    ...lines,
    '',
    page.paint('bold', 'changed before'),
    ...precedingLines(alert.preceding),
    ...(messages.length === 0 ? [] : ['', ...messages]),
  ]
}

function precedingLines(preceding: readonly AlertPreceding[]): string[] {
  if (preceding.length === 0) return ['nothing, in the hour before']
  return preceding.flatMap(({ at, by, text, undo }) => [
    `${dayAndClock(at)}  ${safe(text)}${by === null ? '' : `, by ${safe(by)}`}`,
    ...(undo === null ? [] : [`  to undo it: ${safe(undo)}`]),
  ])
}

export const messageColumns: Column<AlertMessage>[] = [
  { title: 'CHANNEL', cell: ({ channel }) => channel },
  timeColumn('WRITTEN', ({ at }) => at),
  {
    title: 'STATE',
    cell: ({ state }) => state,
    style: ({ state }) => (state === 'failed' ? 'red' : undefined),
  },
  { title: 'SENT', cell: ({ sentAt }) => (sentAt === null ? '' : dayAndClock(sentAt)), cut: 'never' },
  { title: 'ATTEMPTS', cell: ({ attempts }) => String(attempts), align: 'right' },
  { title: 'ERROR', cell: ({ error }) => error ?? '', cut: 'middle' },
]

export const alertSilenceColumns: Column<AlertSilence>[] = [
  { title: 'NUMBER', cell: ({ id }) => String(id), align: 'right' },
  {
    title: 'STATE',
    cell: ({ isActive }) => (isActive ? 'active' : 'ended'),
    style: ({ isActive }) => (isActive ? undefined : 'dim'),
  },
  timeColumn('UNTIL', ({ endsAt }) => endsAt),
  { title: 'MATCHES', cell: silenceMatches },
  { title: 'BY', cell: ({ createdBy }) => createdBy },
  { title: 'REASON', cell: ({ reason }) => reason },
]

function silenceMatches({ rule, region, edge, subject }: AlertSilence): string {
  const parts = Object.entries({ rule, region, edge, subject }).flatMap(([name, value]) =>
    value === null ? [] : [`${name} ${value}`],
  )
  return parts.length === 0 ? 'everything' : parts.join(', ')
}

export const ruleColumns: Column<AlertRuleView>[] = [
  { title: 'RULE', cell: ({ name }) => name },
  { title: 'SEVERITY', cell: ({ severity }) => severity },
  {
    title: 'STATE',
    cell: ({ enabled }) => (enabled ? 'on' : 'off'),
    style: ({ enabled }) => (enabled ? undefined : 'dim'),
  },
  { title: 'HOLD', cell: ({ holdSeconds }) => duration(holdSeconds * 1000), align: 'right' },
  { title: 'CLEAR', cell: ({ clearSeconds }) => duration(clearSeconds * 1000), align: 'right' },
  {
    title: 'THRESHOLD',
    cell: ({ threshold, unit, opens }) => (threshold === null ? '' : `${opens} ${threshold} ${unit}`),
  },
  { title: 'CHANGED BY', cell: ({ changedBy }) => changedBy ?? '' },
]

export const channelColumns: Column<AlertChannelView>[] = [
  { title: 'CHANNEL', cell: ({ name }) => name },
  { title: 'KIND', cell: ({ kind }) => kind },
  { title: 'TO', cell: ({ target }) => target },
  { title: 'ALERTS', cell: ({ severities, regions }) => [...severities, ...regions].join(', ') || 'all' },
  {
    title: 'LAST SENT',
    cell: ({ lastSentAt }) => (lastSentAt === null ? 'never' : dayAndClock(lastSentAt)),
    cut: 'never',
  },
  { title: 'WAITING', cell: ({ waiting }) => String(waiting), align: 'right' },
  { title: 'GIVEN UP', cell: ({ failed }) => String(failed), align: 'right' },
  { title: 'PROBLEM', cell: ({ problem }) => problem ?? '', cut: 'middle', style: () => 'red' },
]
