import assert from 'node:assert/strict'
import { afterEach, beforeEach, mock, test } from 'node:test'
import { runtime } from '../runtime.ts'
import { Breaker } from './breaker.ts'

beforeEach(() => void mock.method(runtime, 'jitter', () => 0))
afterEach(() => mock.restoreAll())

/** The first cool-down is a tenth of the configured one. */
const limits = { breakerFailures: 3, breakerCooldownMs: 10_000 }

test('the breaker opens after a number of consecutive failures, for the cool-down', () => {
  const breaker = new Breaker()
  breaker.failed(0, limits)
  breaker.failed(0, limits)
  assert.equal(breaker.allows(0), true)
  breaker.failed(10, limits)
  assert.equal(breaker.allows(1009), false)
  assert.equal(breaker.allows(1010), true)
})

test('the cool-down has a random jitter of up to a quarter', (t) => {
  t.mock.method(runtime, 'jitter', () => 0.999)
  const breaker = new Breaker()
  for (let failure = 0; failure < 3; failure++) breaker.failed(0, limits)
  assert.deepEqual([breaker.allows(1249), breaker.allows(1250)], [false, true])
})

test('after the cool-down one attempt is allowed until its result is known, and the others fail immediately', () => {
  const breaker = new Breaker()
  for (let failure = 0; failure < 3; failure++) breaker.failed(0, limits)
  assert.equal(breaker.allows(1000), true)
  assert.equal(breaker.allows(1000), false)
  assert.equal(breaker.allows(100_000), false)
  // The client has disconnected, so the attempt has no result.
  breaker.endTrial()
  assert.equal(breaker.allows(100_000), true)
  assert.equal(breaker.allows(100_000), false)
  breaker.succeeded()
  assert.deepEqual([breaker.allows(100_000), breaker.allows(100_000)], [true, true])
})

test('attempts that began before the breaker opened do not prolong the cool-down, and the one after the cool-down does', () => {
  const breaker = new Breaker()
  for (let failure = 0; failure < 3; failure++) breaker.failed(0, limits)
  breaker.failed(900, limits)
  assert.equal(breaker.allows(1000), true)
  breaker.failed(1100, limits)
  breaker.endTrial()
  assert.equal(breaker.allows(2599), false)
  assert.equal(breaker.allows(2600), true)
})

test('each cool-down is 1.5 times as long as the previous one, up to the configured one, and the next outage starts again', () => {
  const breaker = new Breaker()
  for (let outage = 0; outage < 2; outage++) {
    for (let failure = 0; failure < 3; failure++) breaker.failed(0, limits)
    const pauses: number[] = []
    for (let now = 0, since = 0; pauses.length < 8; now += 10) {
      if (!breaker.allows(now)) continue
      pauses.push(now - since)
      breaker.failed((since = now), limits)
    }
    assert.deepEqual(pauses, [1000, 1500, 2250, 3380, 5070, 7600, 10_000, 10_000])
    breaker.succeeded()
  }
})

const never = new AbortController().signal

test('logins wait for a server that has just gone down, until an attempt has ended', async () => {
  const breaker = new Breaker()
  for (let failure = 0; failure < 3; failure++) breaker.failed(0, limits)
  assert.equal(breaker.isAwaited(0), true)
  assert.equal(breaker.allows(1000), true)
  let told = 0
  const waiting = [1, 2].map(async () => {
    await breaker.awaitNews(1000, never)
    told++
  })
  const abandoning = new AbortController()
  const abandoned = breaker.awaitNews(1000, abandoning.signal)
  abandoning.abort()
  await abandoned
  assert.equal(told, 0)
  breaker.succeeded()
  await Promise.all(waiting)
  assert.equal(told, 2)
})

test('logins do not wait for a server that has been down for longer', () => {
  const breaker = new Breaker()
  for (let failure = 0; failure < 3; failure++) breaker.failed(0, limits)
  assert.deepEqual([breaker.isAwaited(4999), breaker.isAwaited(5000)], [true, false])
  assert.equal(breaker.allows(1000), true)
  breaker.failed(1000, limits)
  assert.equal(breaker.isAwaited(1000), true)
  assert.equal(breaker.allows(2500), true)
  breaker.failed(2500, limits)
  assert.equal(breaker.isAwaited(2500), false, 'the cool-down is longer than two seconds')
  const slow = new Breaker()
  for (let failure = 0; failure < 3; failure++) slow.failed(0, { ...limits, breakerCooldownMs: 60_000 })
  assert.equal(slow.isAwaited(0), false)
})

test('a failure after the cool-down opens the breaker again immediately, and a success closes it', () => {
  const breaker = new Breaker()
  for (let failure = 0; failure < 3; failure++) breaker.failed(0, limits)
  assert.equal(breaker.allows(1000), true)
  breaker.failed(1000, limits)
  assert.equal(breaker.allows(1999), false)
  breaker.succeeded()
  assert.equal(breaker.allows(1999), true)
  breaker.failed(2000, limits)
  breaker.failed(2000, limits)
  assert.equal(breaker.allows(2000), true)
})

test('failures that are not consecutive never open the breaker, and with breakerFailures 0 no number of failures does', () => {
  const breaker = new Breaker()
  for (let round = 0; round < 20; round++) {
    breaker.failed(0, limits)
    breaker.failed(0, limits)
    breaker.succeeded()
  }
  assert.equal(breaker.allows(0), true)
  for (let failure = 0; failure < 50; failure++) breaker.failed(0, { ...limits, breakerFailures: 0 })
  assert.equal(breaker.allows(0), true)
})
