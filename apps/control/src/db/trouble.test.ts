import assert from 'node:assert/strict'
import { test } from 'node:test'
import { troubleOf } from './trouble.ts'

const withCode = (code: string) => Object.assign(new Error('x'), { code })

test('a Postgres that is away, data that cannot be stored, and a bug are three things', () => {
  for (const code of ['ECONNREFUSED', 'CONNECTION_CLOSED', '57P03', '08006', '42P01', '53300', '57014'])
    assert.equal(troubleOf(withCode(code)), 'away', code)
  for (const code of ['22P05', '22021', '22003', '23505'])
    assert.equal(troubleOf(withCode(code)), 'unstorable', code)
  for (const code of ['42703', '42601', 'ERR_INVALID_ARG_TYPE'])
    assert.equal(troubleOf(withCode(code)), 'bug', code)
  assert.equal(troubleOf(new TypeError('x')), 'bug')
  assert.equal(troubleOf(undefined), 'bug')
})

test('an error is looked for beneath its wrappers', () => {
  assert.equal(troubleOf(new Error('Failed query', { cause: withCode('ECONNREFUSED') })), 'away')
  assert.equal(troubleOf(new AggregateError([withCode('ECONNREFUSED'), withCode('ECONNREFUSED')])), 'away')
})
