import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addressOf, describe, questionIn, readingsOf } from './history-question.ts'

test('an address says all of a question, and nothing that is usual', () => {
  assert.equal(addressOf(questionIn(new URLSearchParams())), '/history')
  const question = questionIn(
    new URLSearchParams([
      ['metric', 'logins_total{result="ok"}:rate'],
      ['metric', 'upstreams_idle:max'],
      ['from', '-30d'],
      ['groupBy', 'edge'],
      ['region', 'eu'],
    ]),
  )
  const address = addressOf(question)
  assert.deepEqual(questionIn(new URL(address, 'http://console').searchParams), question)
  assert.deepEqual(question.metrics, ['logins_total{result="ok"}:rate', 'upstreams_idle:max'])
  assert.equal(questionIn(new URLSearchParams('groupBy=nonsense')).groupBy, 'region')
})

test('a metric is read by its kind, and its unit follows from both', () => {
  assert.equal(readingsOf('logins_total')[0]?.suffix, ':rate')
  assert.equal(readingsOf('upstreams_idle')[0]?.suffix, '')
  assert.equal(describe('login_seconds:p95').unit, 'seconds')
  assert.equal(describe('login_seconds:count').unit, 'number')
  assert.equal(describe('client_bytes_total:rate').unit, 'bytes')
  assert.deepEqual(describe('logins_total{result="ok"}:rate'), {
    name: 'logins_total{result="ok"}',
    words: 'a second',
    unit: 'number',
  })
  assert.deepEqual(describe('no such thing'), { name: 'no such thing', words: '', unit: 'number' })
})
