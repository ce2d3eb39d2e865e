import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { AlertRow } from './queries.ts'
import { matchesSilence, stepAlert, tellAlert, type Observation } from './step.ts'

const start = Date.parse('2026-03-01T03:00:00Z')
const at = (seconds: number) => new Date(start + seconds * 1000)
const settings = { isEnabled: true, holdMs: 60_000, clearMs: 120_000 }
const pending: AlertRow = {
  ...{ id: 1, rule: 'edge-silent', subject: 'eu-1', region: 'eu', edge: 'eu-1', text: 'x' },
  ...{ state: 'pending', since: at(0), openedAt: null, clearSince: null, resolvedAt: null, toldAt: null },
  ...{ ackBy: null, ackAt: null, ackUntil: null, ackReason: null },
}
const open: AlertRow = { ...pending, state: 'open', openedAt: at(60), toldAt: at(60) }
const held: Observation = { text: 'x' }

/** The state after each observation, which are 30 s apart. */
function statesAfter(observed: readonly Observation[], given = settings, from: AlertRow = pending): string[] {
  let alert = from
  const states: string[] = []
  for (const [index, each] of observed.entries()) {
    const stepped = stepAlert(alert, each, given, { now: at(30 * (index + 1)), isAfterGap: false })
    if (stepped === 'gone') return [...states, 'gone']
    alert = stepped
    states.push(alert.state)
  }
  return states
}

suite('the life of an alert', () => {
  test('it opens after its hold time, and is resolved after its condition was absent for the clear time', () => {
    assert.deepEqual(statesAfter([held, held, held, 'absent', 'absent', 'absent', 'absent', 'absent']), [
      'pending',
      'open',
      'open',
      'open',
      'open',
      'open',
      'open',
      'resolved',
    ])
  })

  test('a condition that ends within the hold time leaves nothing', () => {
    assert.deepEqual(statesAfter([held, 'absent']), ['pending', 'gone'])
  })

  test('a condition that comes and goes keeps one alert open', () => {
    const flapping: Observation[] = [held, held, 'absent', held, 'absent', 'absent', held, 'absent', held]
    assert.deepEqual(new Set(statesAfter(flapping).slice(1)), new Set(['open']))
  })

  test('without hold times each observation decides', () => {
    const none = { isEnabled: true, holdMs: 0, clearMs: 0 }
    assert.deepEqual(statesAfter([held, 'absent'], none), ['open', 'resolved'])
  })

  test('what is unknown opens nothing and resolves nothing', () => {
    assert.deepEqual(statesAfter([held, 'unknown', 'unknown', 'unknown', held, held]), [
      'pending',
      'pending',
      'pending',
      'pending',
      'pending',
      'open',
    ])
    const rest = Array<Observation>(20).fill('unknown')
    assert.deepEqual(new Set(statesAfter(['absent', ...rest], settings, open)), new Set(['open']))
    // The absence must be seen for the whole clear time.
    const almost: Observation[] = [
      'absent',
      'absent',
      'absent',
      'absent',
      'unknown',
      'absent',
      'absent',
      'absent',
      'absent',
    ]
    assert.equal(statesAfter(almost, settings, open).at(-1), 'open')
  })

  test('a condition whose beginning is known needs no further hold time', () => {
    assert.deepEqual(statesAfter([{ text: 'x', since: start - 3_600_000 }]), ['open'])
  })

  test('after a pause without observations, hold times start anew', () => {
    const moment = { now: at(3_600), isAfterGap: true }
    const still = stepAlert(pending, held, settings, moment)
    assert.ok(still !== 'gone' && still.state === 'pending')
    assert.deepEqual(still.since, at(3_600))
    const clearing = stepAlert({ ...open, clearSince: at(70) }, 'absent', settings, moment)
    assert.ok(clearing !== 'gone' && clearing.state === 'open')
    assert.deepEqual(clearing.clearSince, at(3_600))
  })

  test('a rule that is switched off resolves its alerts at once', () => {
    const off = { ...settings, isEnabled: false }
    assert.deepEqual(statesAfter([held], off, open), ['resolved'])
    assert.deepEqual(statesAfter([held], off), ['gone'])
  })
})

suite('what is sent about an alert', () => {
  const acknowledged = { ...open, ackBy: 'ann', ackAt: at(60), ackUntil: at(600), ackReason: 'y' }
  const resolved: AlertRow = { ...open, state: 'resolved', resolvedAt: at(300) }
  for (const [what, alert, isSilenced, seconds, change] of [
    ['nothing while it is pending', pending, false, 30, undefined],
    ['its opening', { ...open, toldAt: null }, false, 60, 'opened'],
    ['nothing more while it is open', open, false, 90, undefined],
    ['nothing while it is silenced', { ...open, toldAt: null }, true, 60, undefined],
    ['its opening when the silence ends', { ...open, toldAt: null }, false, 3_600, 'opened'],
    ['its end', resolved, false, 300, 'resolved'],
    ['its end also during a silence', resolved, true, 300, 'resolved'],
    ['no end of what was not sent', { ...resolved, toldAt: null }, false, 300, undefined],
    ['nothing while it is acknowledged', acknowledged, false, 599, undefined],
    ['a reminder after the acknowledgement', acknowledged, false, 600, 'reminded'],
    ['no reminder during a silence', acknowledged, true, 600, undefined],
  ] as const)
    test(what, () => {
      assert.equal(tellAlert(alert, isSilenced, at(seconds)).change, change)
    })

  test('each of it once', () => {
    const told = tellAlert({ ...open, toldAt: null }, false, at(60)).alert
    assert.equal(tellAlert(told, false, at(61)).change, undefined)
    const reminded = tellAlert(acknowledged, false, at(600)).alert
    assert.equal(tellAlert(reminded, false, at(601)).change, undefined)
    assert.equal(reminded.ackBy, null)
  })
})

test('a silence matches what agrees with everything that it names', () => {
  const all = { rule: null, region: null, edge: null, subject: null }
  for (const [silence, expected] of [
    [all, true],
    [{ ...all, rule: 'edge-silent' }, true],
    [{ ...all, rule: 'drift' }, false],
    [{ ...all, region: 'eu', edge: 'eu-1' }, true],
    [{ ...all, region: 'eu', edge: 'eu-2' }, false],
    [{ ...all, region: 'us' }, false],
    [{ ...all, subject: 'eu-1' }, true],
    [{ ...all, subject: 'eu-2' }, false],
  ] as const)
    assert.equal(matchesSilence(silence, open), expected, JSON.stringify(silence))
  assert.equal(matchesSilence({ ...all, region: 'eu' }, { ...open, region: null }), false)
})
