import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GuessLimit, guesserOf } from './guess-limit.ts'

test('guesses count for a minute from the first, for each source', () => {
  const limit = new GuessLimit()
  assert.deepEqual([limit.note('a', 0), limit.note('a', 30_000), limit.note('b', 30_000)], [1, 2, 1])
  assert.deepEqual([limit.failures('a', 59_999), limit.failures('a', 60_000)], [2, 0])
  assert.deepEqual([limit.note('a', 60_000), limit.failures('b', 60_000)], [1, 1])
  // The clock was put back.
  assert.equal(limit.failures('a', 0), 0)
})

test('memory is bounded, and the source that was seen first is forgotten first', () => {
  const limit = new GuessLimit()
  for (let source = 0; source <= 10_000; source++) limit.note(String(source), 0)
  assert.deepEqual([limit.failures('0', 1), limit.failures('1', 1), limit.failures('10000', 1)], [0, 1, 1])
})

test('an IPv6 address counts as its /64, however it is written', () => {
  for (const address of [
    '2001:db8:1:2::1',
    '2001:DB8:1:2:3:4:5:6',
    '2001:0db8:0001:0002::',
    '2001:db8:1:2::192.0.2.1',
    '2001:db8:1:2::1%eth0',
  ])
    assert.equal(guesserOf(address), '2001:db8:1:2::/64', address)
  assert.equal(guesserOf('::1'), '0:0:0:0::/64')
  assert.equal(guesserOf('2001:db8::1:0:0:1'), '2001:db8:0:0::/64')
  assert.equal(guesserOf('192.0.2.1'), '192.0.2.1')
  assert.equal(guesserOf('unknown'), 'unknown')
})
