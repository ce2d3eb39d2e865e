import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkExpiry } from './check-expiry.ts'

test('a credential is judged by the time that is left', () => {
  const now = Date.parse('2026-11-28T00:00:00Z')
  const verdictAfter = (days: number) =>
    checkExpiry({ expiresAt: new Date(now + days * 86_400_000) }, 'edge.creds', now).map(
      ({ verdict }) => verdict,
    )
  assert.deepEqual([0, 6.9, 7].map(verdictAfter), [['fail'], ['warn'], ['ok']])
  assert.deepEqual(
    checkExpiry({}, 'edge.creds', now).map(({ text }) => text),
    ['edge.creds does not expire'],
  )
  assert.deepEqual(checkExpiry({}, undefined, now), [])
})
