import assert from 'node:assert/strict'
import { test } from 'node:test'
import { extentText, withMoments } from './words.ts'

const none = (names: string) => names.split(' ').map((region) => ({ region, edges: 0, of: 2 }))

test('the extent of an alert names the regions with and without the problem', () => {
  const eu = { region: 'eu', edges: 3, of: 3 }
  assert.equal(extentText([eu, ...none('us')]), 'eu: 3 of 3 edges, us: none of 2')
  assert.equal(extentText([eu, ...none('a b c d')]), 'eu: 3 of 3 edges, 4 other regions: none')
  assert.equal(extentText([]), '')
})

test('the moments of a sentence are said in other words, and the rest stays', () => {
  const seen: string[] = []
  const text = 'down since 2026-03-01T03:00:00.000Z, until 2026-03-01T03:00:09Z: 10.0.0.7'
  assert.equal(
    withMoments(text, (moment) => `#${seen.push(moment)}`),
    'down since #1, until #2: 10.0.0.7',
  )
  assert.deepEqual(seen, ['2026-03-01T03:00:00.000Z', '2026-03-01T03:00:09Z'])
})

test('what only looks like a moment stays', () => {
  for (const moment of [
    '2026-99-99T99:99:99Z',
    '2026-12-31T23:59:60Z',
    '2026-02-30T10:00:00Z',
    '2026-03-01T25:00:00.000Z',
  ])
    assert.equal(
      withMoments(`down since ${moment}`, () => assert.fail(moment)),
      `down since ${moment}`,
    )
})
