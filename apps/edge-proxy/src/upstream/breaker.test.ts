import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Breaker } from './breaker.ts'

const limits = { breakerFailures: 3, breakerCooldownMs: 1000 }

test('a breaker opens after so many failures in a row, and for so long', () => {
  const breaker = new Breaker()
  breaker.failed(0, limits)
  breaker.failed(0, limits)
  assert.equal(breaker.allows(0), true)
  breaker.failed(10, limits)
  assert.equal(breaker.allows(1009), false)
  assert.equal(breaker.allows(1010), true)
})

test('a failure after the cool-down opens it again at once, a success closes it for good', () => {
  const breaker = new Breaker()
  for (let failure = 0; failure < 3; failure++) breaker.failed(0, limits)
  breaker.failed(1000, limits)
  assert.equal(breaker.allows(1999), false)
  breaker.succeeded()
  assert.equal(breaker.allows(1999), true)
  breaker.failed(2000, limits)
  breaker.failed(2000, limits)
  assert.equal(breaker.allows(2000), true)
})

test('failures that are not in a row never open it, nor does any number where it is off', () => {
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
