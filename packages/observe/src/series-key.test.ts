import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { metrics } from './metrics.ts'
import { parseSeriesKey, seriesKey, seriesOf } from './series-key.ts'

/** Any UTF-16 at all, control characters and lone surrogates included. */
const anyText = fc.array(fc.nat(0xffff)).map((units) => String.fromCharCode(...units))

test('a parsed series key has the name and labels that it was made from', () => {
  const label = fc.stringMatching(/^[a-z]+(_[a-z]+)*$/)
  fc.assert(
    fc.property(fc.constantFrom(...Object.keys(metrics)), fc.dictionary(label, anyText), (name, labels) => {
      const parsed = parseSeriesKey(seriesKey(name, labels))
      assert.equal(parsed.name, name)
      assert.deepEqual(parsed.labels, { ...labels })
    }),
    { seed: 20_260_107, numRuns: 500 },
  )
})

test('different labels never have the same key', () => {
  assert.notEqual(
    seriesKey('logins_total', { upstream: 'a",result="b' }),
    seriesKey('logins_total', { upstream: 'a', result: 'b' }),
  )
})

test('parsing never throws, whatever the key is', () => {
  fc.assert(
    fc.property(anyText, (key) => {
      assert.equal(typeof parseSeriesKey(key).name, 'string')
    }),
    { seed: 20_260_108 },
  )
})

test('the series of a metric are those of exactly its name', () => {
  const values = {
    clients_connected: 3,
    clients_connected_ever: 9,
    'clients_connected{listener="imap"}': 1,
    'clients_connected{listener="imaps"}': 2,
    'clients_connected_ever{listener="imap"}': 8,
    toString: 7,
  }
  assert.deepEqual(seriesOf(values, 'clients_connected'), [
    { labels: {}, value: 3 },
    { labels: { listener: 'imap' }, value: 1 },
    { labels: { listener: 'imaps' }, value: 2 },
  ])
  assert.deepEqual(seriesOf(values, 'clients'), [])
})
