import assert from 'node:assert/strict'
import { test } from 'node:test'
import { reasonOf } from './reason.ts'

test('the reason of a wrapped error is that of its cause, and never shows the parameters of a query', () => {
  const wrapped = new Error('Failed query: insert ... params: secret', { cause: new Error('no such table') })
  assert.equal(reasonOf(wrapped), 'no such table')
  const attempts = [Object.assign(new Error(''), { code: 'ECONNREFUSED' })]
  assert.equal(reasonOf(new AggregateError(attempts)), 'ECONNREFUSED')
  assert.equal(reasonOf('text'), 'text')
})

test('the reason of a TLS error says what to check', () => {
  const withCode = (code: string) => Object.assign(new Error('x'), { code })
  assert.match(reasonOf(withCode('SELF_SIGNED_CERT_IN_CHAIN')), /check the CA file$/)
  const cert = { subjectaltname: 'DNS:db.example', subject: {} }
  const misnamed = Object.assign(withCode('ERR_TLS_CERT_ALTNAME_INVALID'), { cert })
  assert.equal(reasonOf(misnamed), 'its certificate is for another name (DNS:db.example)')
  assert.equal(reasonOf(withCode('ECONNREFUSED')), 'x')
})
