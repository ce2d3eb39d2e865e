import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { History } from '@imapfleet/api'
import {
  currentOf,
  noTraffic,
  ratioOf,
  sessionRate,
  sumByStep,
  together,
  totalOf,
  trafficMetrics,
  trafficOf,
  trafficText,
} from './traffic.ts'

test('a sum has a gap only if no edge reported', () => {
  assert.deepEqual(
    sumByStep([
      [1, null, null],
      [2, 5, null],
    ]),
    [3, 5, null],
  )
  assert.deepEqual(sumByStep([]), [])
  assert.equal(totalOf([null, null]), null)
  assert.equal(totalOf([1, null, 2]), 3)
})

const history = (to: string, ...values: (number | null)[][]): History => ({
  ...{ from: '2026-01-01T00:00:00.000Z', to, stepSeconds: 60, resolution: '1m', groupBy: 'edge' },
  metrics: trafficMetrics,
  groups: [{ group: 'eu-1', values, totals: values.map(() => null) }],
})

test('a step that the end of the history cuts short is neither drawn nor the current value', () => {
  const series = [397, 397, 584]
  const cut = trafficOf(history('2026-01-01T00:02:08.000Z', series))?.get('eu-1')
  assert.deepEqual(cut?.sessions, [397, 397])
  assert.equal(currentOf(cut?.sessions ?? []), 397)
  const whole = trafficOf(history('2026-01-01T00:03:00.000Z', [397, 397, 396]))?.get('eu-1')
  assert.equal(currentOf(whole?.sessions ?? []), 396)
})

test('the current value is that of the last step, and unknown if nothing was reported in it', () => {
  assert.equal(currentOf([4, 5]), 5)
  assert.equal(currentOf([5, null]), null)
  assert.equal(currentOf([5, 0]), 0)
  assert.equal(currentOf([]), null)
})

test('figures that have not arrived are not shown as unknown', () => {
  assert.equal(trafficText(trafficOf(undefined)?.get('eu-1'), sessionRate), '…')
  assert.equal(trafficText(noTraffic, sessionRate), '–')
})

test('the ratio of several edges is that of their sums, and unknown without logins', () => {
  const fleet = together([
    { sessions: [1], logins: [10], reuses: [9], idle: [4] },
    { sessions: [2], logins: [30], reuses: [3], idle: [1] },
  ])
  assert.deepEqual(ratioOf(fleet), [30])
  assert.deepEqual(fleet.idle, [5])
  assert.deepEqual(ratioOf({ logins: [0], reuses: [0] }), [null])
})
