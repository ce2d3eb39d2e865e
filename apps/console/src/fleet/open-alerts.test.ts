import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AlertView } from '@imapfleet/api'
import { alertLines, alertsIn, countWords, extentOf, mutedLines } from './open-alerts.ts'

const alert = (id: number, edge: string | null, said: Partial<AlertView> = {}): AlertView => ({
  ...{ id, rule: 'upstream-down', severity: 'page', title: 'Mail server down', subject: `${id}`, edge },
  ...{ region: edge?.slice(0, 2) ?? null, text: '', state: 'open', openedAt: null, resolvedAt: null },
  ...{ since: `2026-03-01T03:0${9 - id}:00Z`, acknowledged: null, silencedBy: null, action: '' },
  ...said,
})
const told = (alerts: readonly AlertView[]) =>
  alertLines(alerts).map(({ first, others }) => [first.id, others.length])

test('what more than two edges of a region have is one line, since its first alert', () => {
  const eu = [alert(1, 'eu-1'), alert(2, 'eu-2'), alert(3, 'eu-3')]
  assert.deepEqual(told([...eu, alert(4, 'us-1'), alert(5, 'us-2')]), [
    [5, 0],
    [4, 0],
    [3, 2],
  ])
  assert.equal(alertsIn(alertLines(eu)).length, 3)
})

test('several alerts of one edge are one line of this edge, not of several edges', () => {
  const edge = (name: string, from: number, count: number) =>
    Array.from({ length: count }, (_, index) => alert(from + index, name))
  assert.deepEqual(told(edge('eu-1', 1, 2)), [
    [2, 0],
    [1, 0],
  ])
  const extents = (alerts: readonly AlertView[]) => alertLines(alerts).map(extentOf)
  assert.deepEqual(extents(edge('eu-1', 1, 3)), ['at eu-1 (3 alerts)'])
  assert.deepEqual(extents([...edge('eu-1', 1, 3), ...edge('eu-2', 4, 1)]), ['', 'at eu-1 (3 alerts)'])
  assert.deepEqual(extents(['eu-1', 'eu-2', 'eu-3'].map((name, id) => alert(id + 1, name))), [
    'at 3 edges of eu',
  ])
  assert.deepEqual(extents(['eu-1', 'eu-2', 'eu-3', 'eu-3'].map((name, id) => alert(id + 1, name))), [
    'at 3 edges of eu (4 alerts)',
  ])
})

test('any number of alerts is a few lines', () => {
  const many = Array.from({ length: 620 }, (_, index) => alert(index + 1, `eu-${index % 3}`))
  const rules = ['drift', 'clock-skew', 'logins-fail', 'logins-wait', 'edge-silent', 'edge-problems'] as const
  const others = rules.map((rule, index) => alert(700 + index, 'us-1', { rule, severity: 'ticket' }))
  const lines = alertLines([...many, ...others])
  assert.equal(lines.length, 5)
  assert.equal(lines[0] && extentOf(lines[0]), 'at 3 edges of eu (620 alerts)')
})

test('pages come before tickets, and alerts about no edge stay apart', () => {
  const ticket = alert(9, 'eu-1', { rule: 'drift', severity: 'ticket' })
  const fleet = [6, 7, 8].map((id) => alert(id, null, { rule: 'timer-overdue' }))
  assert.deepEqual(told([ticket, ...fleet]), [
    [8, 0],
    [7, 0],
    [6, 0],
    [9, 0],
  ])
})

test('what someone knows of is apart, by acknowledgement and silence', () => {
  const acknowledged = { by: 'ann', at: '', until: '', reason: 'known' }
  const muted = [
    ...[1, 2, 3].map((id) => alert(id, 'eu-1', { silencedBy: 3 })),
    alert(4, 'eu-1', { acknowledged }),
  ]
  assert.deepEqual(told(muted), [])
  assert.deepEqual(
    mutedLines([...muted, alert(5, 'eu-1')]).map(({ first, others }) => [first.id, others.length]),
    [
      [4, 0],
      [3, 2],
    ],
  )
})

test('the count of open alerts says how many are acknowledged or silenced', () => {
  const [open, muted] = [alert(1, 'eu-1'), alert(2, 'eu-1', { silencedBy: 3 })]
  const words = (alerts: AlertView[], isWhole = true) => Object.values(countWords(alerts, isWhole)).join('')
  assert.equal(words([open]), '1 open alert')
  assert.equal(words([muted]), '1 open alert, acknowledged or silenced')
  assert.equal(words([muted, muted]), '2 open alerts, all acknowledged or silenced')
  assert.equal(words([open, open, muted]), '3 open alerts, 1 acknowledged or silenced')
  assert.equal(words([open, muted], false), 'More than 2 open alerts')
})
