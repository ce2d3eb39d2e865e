import assert from 'node:assert/strict'
import { test } from 'node:test'
import { validityOf } from './validity.ts'

const now = new Date('2026-11-28T03:00:00Z')
const of = (expiresAt: string | null, revokedAt: string | null = null) => {
  const { words, isValid } = validityOf({ expiresAt, revokedAt }, now)
  return [words, isValid]
}

test('a revocation counts more than an expiry, and an expiry within a week is shown as the time left', () => {
  assert.deepEqual(of(null), ['valid', true])
  assert.deepEqual(of('2027-01-01T00:00:00Z'), ['valid', true])
  assert.deepEqual(of('2026-11-30T03:00:00Z'), ['2 d left', true])
  assert.deepEqual(of('2026-11-28T03:00:00Z'), ['expired', false])
  assert.deepEqual(of('2027-01-01T00:00:00Z', '2026-11-01T00:00:00Z'), ['revoked', false])
})
