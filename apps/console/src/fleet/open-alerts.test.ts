import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AlertView } from '@imapfleet/api'
import { alertLines, alertsIn } from './open-alerts.ts'

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

test('what someone knows of is left out', () => {
  assert.deepEqual(told([alert(1, 'eu-1', { silencedBy: 3 })]), [])
})
