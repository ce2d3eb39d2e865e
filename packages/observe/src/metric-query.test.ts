import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseMetricQuery } from './metric-query.ts'

test('a metric of a query has a name, labels and a suffix', () => {
  assert.deepEqual(parseMetricQuery('sessions_total'), { name: 'sessions_total', labels: [], suffix: '' })
  assert.deepEqual(parseMetricQuery('login_seconds{}:p99.9'), {
    name: 'login_seconds',
    labels: [],
    suffix: ':p99.9',
  })
  assert.deepEqual(parseMetricQuery('logins_total{result=ok, upstream="a=b",}:rate'), {
    name: 'logins_total',
    labels: [
      { label: 'result', value: 'ok' },
      { label: 'upstream', value: 'a=b' },
    ],
    suffix: ':rate',
  })
})

test('what is not a label is returned as it is', () => {
  for (const pair of ['foo', 'Foo="x"', 'a="b"c', 'a="b', '=x', '"a"="b"'])
    assert.deepEqual(parseMetricQuery(`m{${pair}}`)?.labels, [{ label: pair, value: undefined }], pair)
  assert.deepEqual(parseMetricQuery('m{a=,b=""}')?.labels, [
    { label: 'a', value: '' },
    { label: 'b', value: '' },
  ])
})

test('other forms are not parsed', () => {
  for (const text of ['', ' m', 'M', 'm{', 'm}', 'm{a="{"}', 'm{a="}"}', 'm:', 'm:5', 'm:rate:rate', 'm\n'])
    assert.equal(parseMetricQuery(text), undefined, text)
})
