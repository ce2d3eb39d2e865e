import assert from 'node:assert/strict'
import { test } from 'node:test'
import { firstPartOf, historyPresets, historyQuestionIn } from '@imapfleet/api'
import { edgeMetrics, type EdgeMetricName } from '@imapfleet/observe'
import {
  addressOf,
  describe,
  isAbsolute,
  isLabelValue,
  labelChoices,
  partsOf,
  presetNames,
  presetOf,
  readingsOf,
  unknownValues,
  withLabel,
  zoomedOut,
} from './history-question.ts'

test('the first part of a history leaves out the last minutes, if there is more than them', () => {
  const of = (text: string) => firstPartOf(historyQuestionIn(new URLSearchParams(text)))
  assert.equal(of('')?.to, 'rolled-up')
  assert.equal(of('from=-1h&groupBy=edge')?.groupBy, 'edge')
  for (const whole of ['from=-15m', 'from=2026-01-01', 'from=-6h&to=-1h'])
    assert.equal(of(whole), undefined, whole)
})

test('a time range is absolute if both of its ends are', () => {
  const is = (text: string) => isAbsolute(historyQuestionIn(new URLSearchParams(text)))
  assert.equal(is('from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z'), true)
  for (const relative of ['', 'from=-1h', 'from=2026-01-01T00:00:00Z', 'from=-6h&to=-1h'])
    assert.equal(is(relative), false, relative)
})

test('an address has every part of a query that is not a default', () => {
  assert.equal(addressOf(historyQuestionIn(new URLSearchParams())), '/history')
  const question = historyQuestionIn(
    new URLSearchParams([
      ['metric', 'logins_total{result="ok"}:rate'],
      ['metric', 'upstreams_idle:max'],
      ['from', '-30d'],
      ['groupBy', 'edge'],
      ['region', 'eu'],
      ['upstream', 'main'],
      ['compare', '1'],
      ['stacked', '1'],
    ]),
  )
  const address = addressOf(question)
  assert.deepEqual(historyQuestionIn(new URL(address, 'http://console').searchParams), question)
  assert.deepEqual(question.metrics, ['logins_total{result="ok"}:rate', 'upstreams_idle:max'])
  assert.equal(historyQuestionIn(new URLSearchParams('groupBy=nonsense')).groupBy, 'region')
})

test('an address can select no metric, and each metric once', () => {
  const of = (text: string) => historyQuestionIn(new URLSearchParams(text))
  const none = addressOf({ ...of('from=-1h'), metrics: [] })
  assert.equal(none, '/history?metric=&from=-1h')
  assert.deepEqual(historyQuestionIn(new URL(none, 'http://console').searchParams).metrics, [])
  assert.deepEqual(of('metric=&metric=').metrics, [])
  assert.deepEqual(of('metric=clients_connected&metric=&metric=clients_connected').metrics, [
    'clients_connected',
  ])
  assert.equal(firstPartOf(of('metric=')), undefined)
})

test('a metric has the functions of its kind, and its unit follows from both', () => {
  assert.equal(readingsOf('logins_total')[0]?.suffix, ':rate')
  assert.equal(readingsOf('upstreams_idle')[0]?.suffix, '')
  assert.equal(describe('login_seconds:p95').unit, 'seconds')
  assert.equal(describe('login_seconds:count').unit, 'number')
  assert.equal(describe('client_bytes_total:rate').unit, 'bytes')
  assert.deepEqual(describe('no such thing'), { title: 'no such thing', unit: 'number', canStack: false })
})

test('the title of a metric is in words, with its series and its function', () => {
  const titleOf = (text: string) => describe(text).title
  assert.equal(titleOf('sessions_total:rate'), 'Sessions per second')
  assert.equal(titleOf('logins_total{result="failed"}:rate'), 'Failed logins per second')
  assert.equal(titleOf('logins_total'), 'Logins in each step')
  assert.equal(titleOf('login_seconds:p95'), 'Login time, 95th percentile')
  assert.equal(titleOf('clients_connected'), 'Connected clients')
  assert.equal(titleOf('clients_connected:max'), 'Connected clients, highest')
  assert.equal(
    titleOf('upstream_failures_total{reason="bye",upstream="main"}:rate'),
    'Failed connections to servers (reason bye, upstream main) per second',
  )
})

test('groups are stacked only if their values add up', () => {
  const stacks = (text: string) => describe(text).canStack
  assert.deepEqual(
    ['sessions_total:rate', 'sessions_total', 'upstreams_idle', 'login_seconds:count'].map(stacks),
    [true, true, true, true],
  )
  assert.deepEqual(['login_seconds:p95', 'upstreams_idle:max', 'no such thing'].map(stacks), [
    false,
    false,
    false,
  ])
})

test('a preset is recognised by its metrics, and every metric of a preset exists', () => {
  for (const name of presetNames) {
    assert.equal(presetOf(historyPresets[name]), name)
    for (const metric of historyPresets[name]) assert.notEqual(partsOf(metric), undefined, metric)
  }
  assert.equal(presetOf(['sessions_total:rate']), undefined)
})

test('a metric can be limited to values of its labels, and extended again', () => {
  const narrow = withLabel('logins_total:rate', 'result', 'ok')
  assert.equal(narrow, 'logins_total{result="ok"}:rate')
  const narrower = withLabel(narrow, 'upstream', 'main')
  assert.equal(narrower, 'logins_total{result="ok",upstream="main"}:rate')
  assert.deepEqual(partsOf(narrower)?.labels, { result: 'ok', upstream: 'main' })
  assert.equal(
    withLabel(narrower, 'result', 'refused'),
    'logins_total{upstream="main",result="refused"}:rate',
  )
  assert.equal(withLabel(withLabel(narrower, 'result', ''), 'upstream', ''), 'logins_total:rate')
  assert.deepEqual(partsOf('logins_total{result=ok, upstream="a=b"}')?.labels, {
    result: 'ok',
    upstream: 'a=b',
  })
  assert.equal(withLabel('no metric', 'result', 'ok'), 'no metric')
})

test('every label offers its values, except for the owners of certificates', () => {
  const typed = (Object.keys(edgeMetrics) as EdgeMetricName[]).flatMap((name) =>
    labelChoices({ name, labels: {} }, ['main']).flatMap(({ label, values }) =>
      values ? [] : `${name} ${label}`,
    ),
  )
  assert.deepEqual(typed, ['certificate_expiry_seconds owner'])
  assert.deepEqual(labelChoices({ name: 'logins_total', labels: {} }, ['main', 'second']), [
    { label: 'upstream', values: ['main', 'second'] },
    { label: 'result', values: ['ok', 'refused', 'failed'] },
  ])
})

test('labels of an address are read as the API reads them, and those that it refuses can be removed', () => {
  const twice = 'logins_total{result="refused",result="failed"}:rate'
  assert.deepEqual(partsOf(twice)?.labels, { result: 'failed' })
  assert.equal(describe(twice).title, 'Failed logins per second')
  const foreign = partsOf('sessions_total{foo="x"}:rate')
  assert.ok(foreign)
  assert.deepEqual(labelChoices(foreign, []).at(-1), { label: 'foo', values: [] })
  assert.equal(withLabel('sessions_total{foo="x"}:rate', 'foo', ''), 'sessions_total:rate')
  assert.equal(partsOf('login_seconds:p99.9')?.suffix, ':p99.9')
  for (const text of ['sessions_total{foo}', 'sessions_total{Foo="x"}', 'sessions_total{a="{"}'])
    assert.equal(partsOf(text), undefined, text)
})

test('a value of a label is what the API can read', () => {
  for (const value of ['imap.example.org:143', 'a=b', 'zoë']) {
    assert.equal(isLabelValue(value), true, value)
    const text = withLabel('certificate_expiry_seconds', 'owner', value)
    assert.equal(partsOf(text)?.labels['owner'], value)
  }
  for (const value of ['}', '{', ',', '"', '\\']) assert.equal(isLabelValue(value), false, value)
})

test('a value that no edge reports is named with the known ones', () => {
  assert.deepEqual(unknownValues(['logins_total{result="ok"}', 'logins_total{upstream="x"}', 'nonsense']), [])
  assert.deepEqual(unknownValues(['logins_total{result="bogus"}:rate']), [
    'logins_total has no result bogus; it has ok, refused, failed.',
  ])
})

test('zooming out doubles the range, but not into the future', () => {
  assert.deepEqual(zoomedOut(10_000, 20_000, 90_000), [5_000, 25_000])
  assert.deepEqual(zoomedOut(10_000, 20_000, 22_000), [5_000, 22_000])
})
