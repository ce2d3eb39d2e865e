import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { axisTimesOf, durationOf, instantOf, momentOf, timeZone } from './time.ts'

test('a time of today has no date, of another day the day, of another year also the year', () => {
  const now = new Date(2026, 10, 27, 15, 0, 0)
  assert.equal(momentOf(new Date(2026, 10, 27, 9, 5, 7), now), '09:05:07')
  assert.equal(momentOf(new Date(2026, 10, 26, 9, 5, 7), now), '26 Nov 09:05:07')
  assert.equal(momentOf(new Date(2025, 10, 26, 9, 5, 7), now), '26 Nov 2025 09:05:07')
})

test('a duration has its two largest units, and is never negative', () => {
  assert.equal(durationOf(-5), '0 s')
  assert.equal(durationOf(40_999), '40 s')
  assert.equal(durationOf(12 * 60_000), '12 min')
  assert.equal(durationOf(190 * 60_000), '3 h 10 min')
  assert.equal(durationOf(48 * 3_600_000), '2 d')
  assert.equal(durationOf(50 * 3_600_000), '2 d 2 h')
})

test('in UTC, times, dates and the labels of axes are those of UTC', (t) => {
  t.after(() => (timeZone.value = undefined))
  timeZone.value = 'UTC'
  const at = new Date('2026-11-27T23:30:05Z')
  assert.equal(momentOf(at, new Date('2026-11-27T23:59:00Z')), '23:30:05')
  assert.equal(momentOf(at, new Date('2026-11-28T00:10:00Z')), '27 Nov 23:30:05')
  assert.equal(momentOf(at, new Date('2027-01-01T00:10:00Z')), '27 Nov 2026 23:30:05')
  assert.equal(instantOf(at), '27 Nov 2026 23:30:05')
  const seconds = (text: string) => Date.parse(text) / 1000
  assert.deepEqual(axisTimesOf(['2026-11-27T23:00:00Z', '2026-11-27T23:30:00Z'].map(seconds)), [
    '23:00',
    '23:30',
  ])
  assert.deepEqual(axisTimesOf(['2026-11-27T00:00:00Z', '2026-11-29T00:00:00Z'].map(seconds)), [
    '27 Nov',
    '29 Nov',
  ])
  assert.deepEqual(axisTimesOf(['2026-11-27T23:00:00Z', '2026-11-27T23:00:20Z'].map(seconds)), [
    '23:00:00',
    '23:00:20',
  ])
})

test('a label alone has seconds only if there are some', () => {
  const at = Date.UTC(2026, 0, 1, 23) / 1000
  timeZone.value = 'UTC'
  assert.deepEqual(axisTimesOf([at]), ['23:00'])
  assert.deepEqual(axisTimesOf([at + 20]), ['23:00:20'])
  assert.deepEqual(axisTimesOf([]), [])
  timeZone.value = undefined
})

test('times are those of the time zone of the browser, as Intl has them', () => {
  // With hours and days that are not those of UTC, and a change of the clocks.
  const program = `
    import { instantOf } from ${JSON.stringify(new URL('time.ts', import.meta.url).href)}
    const format = (options, at) => new Intl.DateTimeFormat('en-GB', options).format(at)
    for (let hour = 0; hour < 9_000; hour += 7) {
      const at = new Date(Date.UTC(2026, 0, 1, hour, 3 * (hour % 20), hour % 60))
      const month = new Intl.DateTimeFormat('en-US', { month: 'short' }).format(at)
      const date = [format({ day: '2-digit' }, at), month, format({ year: 'numeric' }, at)].join(' ')
      const expected = date + ' ' + format({ timeStyle: 'medium' }, at)
      if (instantOf(at) !== expected) console.log(instantOf(at), 'is not', expected)
    }
    console.log(Intl.DateTimeFormat().resolvedOptions().timeZone)`
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', program], {
    env: { TZ: 'America/St_Johns' },
    encoding: 'utf8',
  })
  assert.equal(output, 'America/St_Johns\n')
})
