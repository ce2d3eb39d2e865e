import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Breaker } from './breaker.ts'

const limits = { breakerFailures: 3, breakerCooldownMs: 1000 }

test('the breaker opens after a number of consecutive failures, for the cool-down', () => {
  const breaker = new Breaker()
  breaker.failed(0, limits)
  breaker.failed(0, limits)
  assert.equal(breaker.allows(0), true)
  breaker.failed(10, limits)
  assert.equal(breaker.allows(1009), false)
  assert.equal(breaker.allows(1010), true)
})

test('after the cool-down one attempt is allowed until its result is known, and the others fail immediately', () => {
  const breaker = new Breaker()
  for (let failure = 0; failure < 3; failure++) breaker.failed(0, limits)
  assert.equal(breaker.allows(1000), true)
  assert.equal(breaker.allows(1000), false)
  assert.equal(breaker.allows(100_000), false)
  // Its client has gone: nothing is known about the server.
  breaker.endTrial()
  assert.equal(breaker.allows(100_000), true)
  assert.equal(breaker.allows(100_000), false)
  breaker.succeeded()
  assert.deepEqual([breaker.allows(100_000), breaker.allows(100_000)], [true, true])
})

test('attempts that began before it opened do not prolong the cool-down, and the one after it does', () => {
  const breaker = new Breaker()
  for (let failure = 0; failure < 3; failure++) breaker.failed(0, limits)
  breaker.failed(900, limits)
  assert.equal(breaker.allows(1000), true)
  breaker.failed(1100, limits)
  breaker.endTrial()
  assert.equal(breaker.allows(2099), false)
  assert.equal(breaker.allows(2100), true)
})

test('a failure after the cool-down opens it again immediately, and a success closes it', () => {
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

test('failures that are not consecutive never open it, and with breakerFailures 0 no number does', () => {
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
