import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ServiceError } from '../../platform/errors.ts'
import { matchSeries, parseExpressions } from './expression.ts'

const refusal = (text: string): string => {
  try {
    parseExpressions(text)
  } catch (error) {
    assert.ok(error instanceof ServiceError && error.code === 'metric_unknown')
    return error.message
  }
  return assert.fail(`${text} was accepted`)
}

test('a list is split at commas, but not within labels', () => {
  const parsed = parseExpressions(
    'logins_total{upstream="a",result="ok"}, upstreams_idle:max,login_seconds:p99.9',
  )
  assert.deepEqual(
    parsed.map(({ name, labels, reading }) => ({ name, labels, reading })),
    [
      {
        name: 'logins_total',
        labels: { upstream: 'a', result: 'ok' },
        reading: { of: 'counter', take: 'increase' },
      },
      { name: 'upstreams_idle', labels: {}, reading: { of: 'gauge', take: 'max' } },
      {
        name: 'login_seconds',
        labels: {},
        reading: { of: 'histogram', take: 'percentile', share: 0.9990000000000001 },
      },
    ],
  )
})

test('a metric that is named twice is answered once', () => {
  const parsed = parseExpressions('sessions_total, logins_total,sessions_total')
  assert.deepEqual(
    parsed.map(({ name }) => name),
    ['sessions_total', 'logins_total'],
  )
})

test('a wrong name, label or suffix is refused with the valid ones', () => {
  assert.match(refusal('logins'), /No metric is named logins: did you mean logins_total\?/)
  assert.match(refusal('nonsense'), /No metric is named nonsense: docs\/metrics\.md/)
  assert.match(refusal('__proto__'), /No metric is named/)
  assert.match(refusal('constructor'), /No metric is named/)
  assert.match(refusal('logins_total{color="red"}'), /no label color; it has upstream, result/)
  assert.match(refusal('client_bytes_total{upstream="a"}'), /no label upstream; it has none/)
  assert.match(refusal('logins_total{color}'), /no label color; it has upstream, result/)
  assert.match(refusal('login_seconds'), /is a histogram: add :p50/)
  assert.match(refusal('logins_total:p50'), /is a counter: use its name alone or add :rate/)
  assert.match(refusal('logins_total{'), /No metric is named/)
  assert.match(refusal(''), /at least one/)
  assert.match(
    refusal(Array.from({ length: 51 }, (_, number) => `logins_total{upstream="u${number}"}`).join(',')),
    /at most 50/,
  )
})

test('a series matches an expression with its name and with each of its labels', () => {
  const [all, some] = parseExpressions('logins_total,logins_total{result="ok"}')
  const key = 'logins_total{upstream="a",result="ok"}'
  assert.deepEqual(matchSeries(all!, key), { upstream: 'a', result: 'ok' })
  assert.deepEqual(matchSeries(some!, key), { upstream: 'a', result: 'ok' })
  assert.equal(matchSeries(some!, 'logins_total{upstream="a",result="no"}'), undefined)
  assert.equal(matchSeries(all!, 'logins_total_more'), undefined)
})
