import assert from 'node:assert/strict'
import { test } from 'node:test'
import { closest } from './closest.ts'

const words = ['idleTimeoutMs', 'lifetimeMaxMs', 'usesMax', 'port']

test('one slip of the fingers is understood', () => {
  for (const slip of ['idleTimeoutM', 'idelTimeoutMs', 'idletimeoutms', 'idleTimeoutMss', 'idleTimeout'])
    assert.equal(closest(slip, words), 'idleTimeoutMs', slip)
  assert.equal(closest('prot', words), 'port')
})

test('another word is not taken for a slip', () => {
  for (const other of ['hosts', 'tls', '', 'p', 'masterPassword', 'x'.repeat(10_000)])
    assert.equal(closest(other, words), undefined, other)
})
