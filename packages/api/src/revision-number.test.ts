import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isRevision } from './revision-number.ts'

test('only whole numbers without signs, points, exponents or zeros in front are revisions', () => {
  for (const text of ['0', '1', '99999', '2147483647']) assert.ok(isRevision(text), text)
  for (const text of ['', '-1', '1.5', '1e3', '0x10', '007', ' 1', 'NaN', '99999999999999999999'])
    assert.ok(!isRevision(text), text)
})
