import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Breaker } from './breaker.ts'

const limits = { breakerFailures: 3, breakerCooldownMs: 1000 }

test('the breaker opens after a number of consecutive failures, for the cool-down', () => {
  const breaker = new Breaker()
  breaker.failed(0, limits)
  breaker.failed(0, limits)
  assert.equal(breaker.allows(0, limits), true)
  breaker.failed(10, limits)
  assert.equal(breaker.allows(1009, limits), false)
  assert.equal(breaker.allows(1010, limits), true)
})

test('after the cool-down one attempt is allowed, and the others fail immediately', () => {
  const breaker = new Breaker()
  for (let failure = 0; failure < 3; failure++) breaker.failed(0, limits)
  assert.equal(breaker.allows(1000, limits), true)
  assert.equal(breaker.allows(1000, limits), false)
  assert.equal(breaker.allows(1999, limits), false)
  // The outcome of the first attempt is not known yet. After another cool-down, one more is allowed.
  assert.equal(breaker.allows(2000, limits), true)
  breaker.succeeded()
  assert.deepEqual([breaker.allows(2000, limits), breaker.allows(2000, limits)], [true, true])
})

test('a failure after the cool-down opens it again immediately, and a success closes it', () => {
  const breaker = new Breaker()
  for (let failure = 0; failure < 3; failure++) breaker.failed(0, limits)
  breaker.failed(1000, limits)
  assert.equal(breaker.allows(1999, limits), false)
  breaker.succeeded()
  assert.equal(breaker.allows(1999, limits), true)
  breaker.failed(2000, limits)
  breaker.failed(2000, limits)
  assert.equal(breaker.allows(2000, limits), true)
})

test('failures that are not consecutive never open it, and with breakerFailures 0 no number does', () => {
  const breaker = new Breaker()
  for (let round = 0; round < 20; round++) {
    breaker.failed(0, limits)
    breaker.failed(0, limits)
    breaker.succeeded()
  }
  assert.equal(breaker.allows(0, limits), true)
  for (let failure = 0; failure < 50; failure++) breaker.failed(0, { ...limits, breakerFailures: 0 })
  assert.equal(breaker.allows(0, limits), true)
})
