import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ServiceError } from '../../platform/errors.ts'
import { keptSince, leastStepMs, parseWindow, readable, settledPart, stepOf, type Window } from './window.ts'

const now = Date.parse('2026-11-22T18:00:07.500Z')
const iso = (at: number) => new Date(at).toISOString()

const refusal = (asked: Parameters<typeof parseWindow>[0]): [string, string] => {
  try {
    parseWindow(asked, now)
  } catch (error) {
    assert.ok(error instanceof ServiceError)
    return [error.code, error.message]
  }
  return assert.fail('it was accepted')
}

test('the default is the last hour, in steps for a chart', () => {
  const window = parseWindow({}, now)
  assert.deepEqual(
    [iso(window.from), iso(window.to)],
    ['2026-11-22T17:00:00.000Z', '2026-11-22T18:00:07.500Z'],
  )
  assert.deepEqual([window.stepMs, window.points], [30_000, 121])
})

test('absolute times are used exactly, with a shorter last step', () => {
  const window = parseWindow(
    { from: '2026-11-22T17:00:03.250Z', to: '2026-11-22T17:01:00Z', step: '10s' },
    now,
  )
  assert.equal(iso(window.from), '2026-11-22T17:00:03.250Z')
  assert.equal(window.points, 6)
  assert.equal(stepOf(window, window.from), 0)
  assert.equal(stepOf(window, window.from - 1), -1)
  assert.equal(stepOf(window, window.from + 10_000), 1)
  assert.equal(stepOf(window, window.to - 1), 5)
})

test('rolled-up is the end of the newest minute that the rollup has usually made', () => {
  const { from, to, stepMs } = parseWindow({ to: 'rolled-up' }, now)
  assert.deepEqual(
    [iso(from), iso(to), stepMs],
    ['2026-11-22T17:00:00.000Z', '2026-11-22T17:58:00.000Z', 30_000],
  )
  assert.equal(iso(parseWindow({ to: 'rolled-up' }, now + 7_500).to), '2026-11-22T17:59:00.000Z')
})

test('a step is a number of seconds or a number with a unit', () => {
  const stepOfText = (step: string) => parseWindow({ from: '-2d', step }, now).stepMs
  assert.deepEqual(
    ['300', '300s', '5m', '1h', '1d'].map(stepOfText),
    [300_000, 300_000, 300_000, 3_600_000, 86_400_000],
  )
})

test('a long range without a step still has fewer points than the limit', () => {
  for (const from of ['-5m', '-24h', '-30d', '-90d', '-500w', '1971-01-01'])
    assert.ok(parseWindow({ from }, now).points <= 122, from)
})

test('an impossible range or step is refused with a valid example', () => {
  assert.deepEqual(refusal({ from: 'yesterday' })[0], 'range_invalid')
  assert.match(refusal({ from: 'yesterday' })[1], /from is not a time: yesterday\. Use now, -30m/)
  assert.match(refusal({ from: '-999999999w' })[1], /from is not a time/)
  assert.match(refusal({ from: 'now', to: '-1h' })[1], /must be before/)
  assert.match(refusal({ from: 'now', to: 'now' })[1], /must be before/)
  assert.match(refusal({ step: '0' })[1], /step is not a duration/)
  assert.match(refusal({ step: 'fast' })[1], /step is not a duration/)
  assert.deepEqual(refusal({ from: '-1d', step: '1s' }), [
    'step_too_fine',
    'The answer would have 86401 points, more than 2000: use a step of at least 44 s, or a shorter range.',
  ])
  assert.ok(parseWindow({ from: '-1d', step: '44s' }, now).points <= 2000)
})

const hourMs = 3_600_000
const kept = keptSince(
  { reports: 7 * 24 * hourMs, minutes: 90 * 24 * hourMs, hours: 1_095 * 24 * hourMs },
  now,
)
const windowFrom = (from: number, stepMs: number, points = 10): Window => ({
  from,
  to: from + stepMs * points,
  stepMs,
  points,
})

test('a step that is finer than what is kept of its time is refused with the finest possible one', () => {
  const day = (days: number) => now - days * 24 * hourMs
  const refused = (from: number, stepMs: number) => {
    try {
      readable(windowFrom(from, stepMs), 'region', kept, now)
    } catch (error) {
      assert.ok(error instanceof ServiceError)
      return error.message
    }
    return undefined
  }
  assert.equal(refused(day(6), 10_000), undefined)
  assert.match(refused(day(9), 10_000) ?? '', /is kept per minute only: use a step of 1m/)
  assert.match(refused(day(9), 90_000) ?? '', /is kept per minute only/)
  assert.equal(refused(day(9), 120_000), undefined)
  assert.match(refused(day(100), 60_000) ?? '', /is kept per hour only: use a step of 1h/)
  assert.match(refused(day(100), 90 * 60_000) ?? '', /is kept per hour only/)
  assert.equal(refused(day(100), 2 * hourMs), undefined)
  assert.deepEqual(
    [6, 9, 100].map((days) => leastStepMs(day(days), kept)),
    [1_000, 60_000, hourMs],
  )
})

test('the coarsest data that divides the step is read; single edges have no rollup of 10 s', () => {
  const resolutionOf = (stepMs: number, by: 'edge' | 'region') =>
    readable(windowFrom(now - hourMs, stepMs), by, kept, now).resolution
  assert.deepEqual(
    [7_000, 20_000, 120_000, 2 * hourMs].map((stepMs) => [
      resolutionOf(stepMs, 'region'),
      resolutionOf(stepMs, 'edge'),
    ]),
    [
      ['reports', 'reports'],
      ['10s', 'reports'],
      ['1m', '1m'],
      ['1h', '1h'],
    ],
  )
})

test('the reported part of a window ends within a step, and never before the window', () => {
  const window = { from: 0, to: 100_000, stepMs: 30_000, points: 4 }
  assert.deepEqual(settledPart(window, 75_400), { from: 0, to: 75_000, stepMs: 30_000, points: 3 })
  assert.deepEqual(settledPart(window, 100_000), window)
  const later = { from: 50_000, to: 100_000, stepMs: 30_000, points: 2 }
  assert.deepEqual(settledPart(later, 10_000), { from: 50_000, to: 50_000, stepMs: 30_000, points: 0 })
})
