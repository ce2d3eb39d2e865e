import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { metrics, parseSeriesKey, seriesKey, type MetricRow } from './metrics.ts'

/** Any UTF-16 at all, control characters and lone surrogates included. */
const anyText = fc.array(fc.nat(0xffff)).map((units) => String.fromCharCode(...units))

const rows = Object.entries(metrics) as [string, MetricRow][]

test('a series key and its labels are each made from the other', () => {
  const label = fc.stringMatching(/^[a-z]+(_[a-z]+)*$/)
  fc.assert(
    fc.property(
      fc.constantFrom(...rows.map(([name]) => name)),
      fc.dictionary(label, anyText),
      (name, labels) => {
        const parsed = parseSeriesKey(seriesKey(name, labels))
        assert.equal(parsed.name, name)
        assert.deepEqual(parsed.labels, { ...labels })
      },
    ),
    { seed: 20_260_107, numRuns: 500 },
  )
})

test('no two sets of labels share a key', () => {
  assert.notEqual(
    seriesKey('logins_total', { upstream: 'a",result="b' }),
    seriesKey('logins_total', { upstream: 'a', result: 'b' }),
  )
})

test('reading a key that nobody made gives a value, never an error', () => {
  fc.assert(
    fc.property(anyText, (key) => {
      assert.equal(typeof parseSeriesKey(key).name, 'string')
    }),
    { seed: 20_260_108 },
  )
})

test('a metric says by its name what it is', () => {
  for (const [name, { kind, help, labels = [] }] of rows) {
    assert.match(name, /^[a-z]+(_[a-z0-9]+)*$/)
    assert.match(help, /^[A-Z0-9].*\.$/, name)
    assert.equal(name.endsWith('_total'), kind === 'counter', name)
    assert.equal(name.endsWith('_seconds'), kind === 'histogram', name)
    for (const label of labels) assert.match(label, /^[a-z_]+$/, name)
  }
})

test('the longest series of each metric fits into a report', () => {
  for (const [name, { labels = [] }] of rows) {
    const longest = seriesKey(name, Object.fromEntries(labels.map((label) => [label, 'x'.repeat(63)])))
    assert.ok(longest.length <= 200, name)
  }
})
