import assert from 'node:assert/strict'
import { test } from 'node:test'
import { troubleOf } from './trouble.ts'

const withCode = (code: string) => Object.assign(new Error('x'), { code })

test('an unreachable Postgres, data that cannot be stored, and a bug are distinguished', () => {
  for (const code of ['ECONNREFUSED', 'CONNECTION_CLOSED', '57P03', '08006', '42P01', '53300', '57014'])
    assert.equal(troubleOf(withCode(code)), 'away', code)
  for (const code of ['22P05', '22021', '22003', '23505'])
    assert.equal(troubleOf(withCode(code)), 'unstorable', code)
  for (const code of ['42703', '42601', 'ERR_INVALID_ARG_TYPE'])
    assert.equal(troubleOf(withCode(code)), 'bug', code)
  assert.equal(troubleOf(new TypeError('x')), 'bug')
  assert.equal(troubleOf(undefined), 'bug')
})

test('the cause of a wrapped error is found', () => {
  assert.equal(troubleOf(new Error('Failed query', { cause: withCode('ECONNREFUSED') })), 'away')
  assert.equal(troubleOf(new AggregateError([withCode('ECONNREFUSED'), withCode('ECONNREFUSED')])), 'away')
})
