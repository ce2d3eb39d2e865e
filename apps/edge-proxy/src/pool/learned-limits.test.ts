import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LearnedLimits } from './learned-limits.ts'

/** Refusals of one user at these counts. Returns those that were reported as new. */
const learned = (limits: LearnedLimits, ...counts: number[]) =>
  counts.map((connections) => limits.learn('main', 'ann', connections, 0))

const shown = (limits: LearnedLimits) => [...limits.latest()].map(({ connections }) => connections)

// Of simultaneous logins, each counts others that the server refuses a moment later.
test('the lowest of several refusals is the limit, and only a lower number is reported as new', () => {
  const limits = new LearnedLimits()
  assert.deepEqual(learned(limits, 6, 5, 6, 4, 5, 3, 3, 7), [
    true,
    true,
    false,
    true,
    false,
    true,
    false,
    false,
  ])
  assert.equal(limits.of('main', 'ann', 0), 3)
  assert.deepEqual(shown(limits), [3])
})

test('a limit is removed, also as the lowest one of its server, when the server accepts more', () => {
  const limits = new LearnedLimits()
  learned(limits, 3)
  limits.accepted('main', 'ann', 3)
  assert.deepEqual([limits.of('main', 'ann', 0), shown(limits)], [3, [3]])
  limits.accepted('main', 'ann', 4)
  assert.deepEqual([limits.of('main', 'ann', 0), shown(limits)], [undefined, []])
  assert.deepEqual(learned(limits, 5), [true])
  assert.deepEqual([limits.of('main', 'ann', 0), shown(limits)], [5, [5]])
})

test('a limit that has expired does not count against a higher one', () => {
  const limits = new LearnedLimits()
  learned(limits, 3)
  assert.equal(limits.learn('main', 'ann', 8, 300_000), true)
  assert.equal(limits.of('main', 'ann', 300_000), 8)
  assert.deepEqual(shown(limits), [8])
})

test('limits of users, servers and scopes are separate, and the lowest one of the users is shown', () => {
  const limits = new LearnedLimits()
  limits.learn('main', 'ann', 3, 0)
  assert.equal(limits.learn('main', 'bob', 4, 0), false)
  limits.learn('main', undefined, 90, 0)
  limits.learn('other', 'ann', 7, 0)
  assert.deepEqual(
    [
      ['main', 'ann'],
      ['main', 'bob'],
      ['main', undefined],
      ['other', 'ann'],
      ['other', undefined],
    ].map(([server, user]) => limits.of(server!, user, 0)),
    [3, 4, 90, 7, undefined],
  )
  assert.deepEqual(
    [...limits.latest()].map(({ server, scope, connections }) => [server, scope, connections]),
    [
      ['main', 'user', 3],
      ['main', 'server', 90],
      ['other', 'user', 7],
    ],
  )
})
