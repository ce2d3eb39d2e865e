import assert from 'node:assert/strict'
import { test } from 'node:test'
import { closest } from './closest.ts'

const words = ['idleTimeoutMs', 'lifetimeMaxMs', 'usesMax', 'port']

test('a word with one typing mistake is recognised', () => {
  for (const slip of ['idleTimeoutM', 'idelTimeoutMs', 'idletimeoutms', 'idleTimeoutMss', 'idleTimeout'])
    assert.equal(closest(slip, words), 'idleTimeoutMs', slip)
  assert.equal(closest('prot', words), 'port')
})

test('a different word is not taken for a typing mistake', () => {
  for (const other of ['hosts', 'tls', '', 'p', 'masterPassword', 'x'.repeat(10_000)])
    assert.equal(closest(other, words), undefined, other)
})
