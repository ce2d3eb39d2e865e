import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ago, duration, isMoment, parseDuration } from './time.ts'

test('a duration is one or more amounts with units', () => {
  const cases: [string, number][] = [
    ['500ms', 500],
    ['45s', 45_000],
    ['10m', 600_000],
    ['1.5h', 5_400_000],
    ['1h30m', 5_400_000],
    ['2d', 172_800_000],
    ['1w', 604_800_000],
  ]
  for (const [text, ms] of cases) assert.equal(parseDuration(text), ms, text)
})

test('any other text is not a duration', () => {
  for (const text of ['', '10', 'm', '-5m', '10 m', '10x', '5m junk', '1e3s', `${'9'.repeat(400)}w`])
    assert.equal(parseDuration(text), undefined, text)
})

test('a time is printed as now, as a time ago, or as a date', () => {
  for (const text of [
    'now',
    '-1h',
    '-90s',
    '2026-03-01',
    '2026-03-01T10:00:00Z',
    '2026-03-01T10:00:00+02:00',
  ])
    assert.ok(isMoment(text), text)
  for (const text of ['', 'yesterday', '1h', '-', '-1', '2026-13-01', '2026-03-01T10:00', '5'])
    assert.ok(!isMoment(text), text)
})

test('a duration is printed with its two largest units', () => {
  assert.equal(duration(0), '0 s')
  assert.equal(duration(999.6), '1 s')
  assert.equal(duration(200_000), '3 min 20 s')
  assert.equal(duration(3_600_000), '1 h')
  assert.equal(duration(3 * 86_400_000 + 4 * 3_600_000 + 5000), '3 d 4 h')
  assert.equal(duration(-5000), '0 s')
})

test('a time in the future is printed as now', () => {
  assert.equal(ago('2026-03-01T10:00:05Z', Date.parse('2026-03-01T10:00:00Z')), 'now')
  assert.equal(ago('2026-03-01T09:59:50Z', Date.parse('2026-03-01T10:00:00Z')), '10 s ago')
})
