import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { assess, timeLeft, type EdgeStanding, type RolloutProgress } from './assess.ts'

const begun = 1_000_000
const progress = (rest: Partial<RolloutProgress> = {}): RolloutProgress => ({
  waves: [
    { name: 'canary', edges: ['a'] },
    { name: 'eu', edges: ['b', 'c'] },
  ],
  wave: 0,
  waveStartedAt: begun,
  settledAt: undefined,
  skipped: [],
  settings: { soakSeconds: 30, silenceSeconds: 60 },
  ...rest,
})

const standing = (rest: Partial<EdgeStanding> = {}): EdgeStanding => ({
  status: 'applied',
  reason: null,
  silent: false,
  silentMs: 1000,
  ...rest,
})
const edges = (standings: Record<string, Partial<EdgeStanding>>) =>
  new Map(Object.entries(standings).map(([id, rest]) => [id, standing(rest)]))
const at = (seconds: number) => begun + seconds * 1000

suite('the next step of a rollout', () => {
  const old = { status: 'pending' } as const
  const dead = { status: 'silent', silent: true, silentMs: 61_000 } as const
  const cases: [string, Partial<RolloutProgress>, Record<string, Partial<EdgeStanding>>, number, unknown][] =
    [
      [
        'waits for an edge that has not applied it yet',
        {},
        { a: old },
        at(59),
        { kind: 'wait', soaking: false },
      ],
      [
        'does not wait for edges of later waves',
        {},
        { a: {}, b: dead, c: { status: 'rejected' } },
        at(1),
        { kind: 'settle' },
      ],
      [
        'watches the wave for the soak',
        { settledAt: at(10) },
        { a: {} },
        at(39),
        { kind: 'wait', soaking: true },
      ],
      ['goes on after the soak', { settledAt: at(10) }, { a: {} }, at(40), { kind: 'advance' }],
      [
        'waits for all edges of a wave',
        { wave: 1 },
        { a: {}, b: {}, c: old },
        at(5),
        { kind: 'wait', soaking: false },
      ],
      [
        'goes back when an edge refuses it',
        {},
        { a: { status: 'rejected', reason: 'no such file' } },
        at(1),
        { kind: 'roll-back', reason: 'a refused it: no such file' },
      ],
      [
        'goes back when an edge does not apply it in time',
        {},
        { a: old },
        at(61),
        { kind: 'roll-back', reason: 'a did not apply it within 60 s' },
      ],
      [
        'goes back when an edge that applied it falls silent, also one of an earlier wave',
        { wave: 1, settledAt: at(1) },
        { a: { silent: true, silentMs: 61_000 }, b: {}, c: {} },
        at(100),
        { kind: 'roll-back', reason: 'a has been silent for 60 s' },
      ],
      [
        'bears a short silence',
        { settledAt: at(1) },
        { a: { silent: true, silentMs: 59_000 } },
        at(100),
        { kind: 'advance' },
      ],
      [
        'does not wait for edges that were silent before',
        { wave: 1, skipped: ['c'] },
        { a: {}, b: {}, c: dead },
        at(1),
        { kind: 'settle' },
      ],
      ['does not wait for edges that are gone from the register', {}, {}, at(1), { kind: 'settle' }],
    ]
  for (const [title, rest, standings, now, decision] of cases)
    test(title, () =>
      assert.deepEqual(assess(progress(rest), edges(standings), { since: 0, until: now }), decision),
    )
})

suite('time in which control was deaf', () => {
  const hears = (from: number, to: number) => ({ since: at(from), until: at(to) })

  test('does not count towards the limit of an edge that has not applied the revision', () => {
    const pending = edges({ a: { status: 'pending' } })
    const decide = (from: number, to: number) => assess(progress(), pending, hears(from, to)).kind
    assert.equal(decide(0, 61), 'roll-back')
    assert.equal(decide(100, 160), 'wait')
    assert.equal(decide(100, 161), 'roll-back')
  })

  test('does not count as soak', () => {
    const settled = progress({ settledAt: at(10) })
    const decide = (from: number, to: number) => assess(settled, edges({ a: {} }), hears(from, to)).kind
    assert.equal(decide(0, 40), 'advance')
    assert.equal(decide(35, 64), 'wait')
    assert.equal(decide(35, 65), 'advance')
  })
})

test('the time left ends when the decision is taken, whatever control did not hear', () => {
  for (const since of [0, 35]) {
    const hearing = (until: number) => ({ since: at(since), until: at(until) })
    const pending = edges({ a: { status: 'pending' } })
    const left = timeLeft(progress(), hearing(40))
    assert.equal(left.for, 'apply')
    const end = 40 + left.ms / 1000
    assert.equal(assess(progress(), pending, hearing(end)).kind, 'wait')
    assert.equal(assess(progress(), pending, hearing(end + 1)).kind, 'roll-back')

    const settled = progress({ settledAt: at(30) })
    const soak = timeLeft(settled, hearing(40))
    assert.equal(soak.for, 'soak')
    const over = 40 + soak.ms / 1000
    assert.equal(assess(settled, edges({ a: {} }), hearing(over - 1)).kind, 'wait')
    assert.equal(assess(settled, edges({ a: {} }), hearing(over)).kind, 'advance')
  }
  assert.equal(timeLeft(progress(), { since: at(0), until: at(900) }).ms, 0)
})
