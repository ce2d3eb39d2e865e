import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addressOf, describe, questionIn, readingsOf, withLabels, zoomedOut } from './history-question.ts'

test('an address has every part of a query that is not a default', () => {
  assert.equal(addressOf(questionIn(new URLSearchParams())), '/history')
  const question = questionIn(
    new URLSearchParams([
      ['metric', 'logins_total{result="ok"}:rate'],
      ['metric', 'upstreams_idle:max'],
      ['from', '-30d'],
      ['groupBy', 'edge'],
      ['region', 'eu'],
      ['upstream', 'main'],
    ]),
  )
  const address = addressOf(question)
  assert.deepEqual(questionIn(new URL(address, 'http://console').searchParams), question)
  assert.deepEqual(question.metrics, ['logins_total{result="ok"}:rate', 'upstreams_idle:max'])
  assert.equal(questionIn(new URLSearchParams('groupBy=nonsense')).groupBy, 'region')
})

test('a metric has the functions of its kind, and its unit follows from both', () => {
  assert.equal(readingsOf('logins_total')[0]?.suffix, ':rate')
  assert.equal(readingsOf('upstreams_idle')[0]?.suffix, '')
  assert.equal(describe('login_seconds:p95').unit, 'seconds')
  assert.equal(describe('login_seconds:count').unit, 'number')
  assert.equal(describe('client_bytes_total:rate').unit, 'bytes')
  assert.deepEqual(describe('logins_total{result="ok"}:rate'), {
    name: 'logins_total{result="ok"}',
    words: 'per second',
    unit: 'number',
  })
  assert.deepEqual(describe('no such thing'), { name: 'no such thing', words: '', unit: 'number' })
})

test('a metric can be limited to some of its series, and extended again', () => {
  const narrow = withLabels('logins_total:rate', ' result="ok" ')
  assert.equal(narrow, 'logins_total{result="ok"}:rate')
  assert.equal(
    withLabels(narrow, '{result="no",upstream="main"}'),
    'logins_total{result="no",upstream="main"}:rate',
  )
  assert.equal(withLabels(narrow, ''), 'logins_total:rate')
})

test('zooming out doubles the range, but not into the future', () => {
  assert.deepEqual(zoomedOut(10_000, 20_000, 90_000), [5_000, 25_000])
  assert.deepEqual(zoomedOut(10_000, 20_000, 22_000), [5_000, 22_000])
})
