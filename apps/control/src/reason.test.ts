import assert from 'node:assert/strict'
import { test } from 'node:test'
import { reasonOf } from './reason.ts'

test('the reason of an error is what lies beneath its wrappers, never the parameters of a query', () => {
  const wrapped = new Error('Failed query: insert ... params: secret', { cause: new Error('no such table') })
  assert.equal(reasonOf(wrapped), 'no such table')
  const attempts = [Object.assign(new Error(''), { code: 'ECONNREFUSED' })]
  assert.equal(reasonOf(new AggregateError(attempts)), 'ECONNREFUSED')
  assert.equal(reasonOf('text'), 'text')
})
