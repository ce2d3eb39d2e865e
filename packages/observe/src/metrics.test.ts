import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  accessMetrics,
  controlMetrics,
  edgeMetrics,
  fleetMetrics,
  metrics,
  type MetricRow,
} from './metrics.ts'
import { seriesKey } from './series-key.ts'

const rows: [string, MetricRow][] = Object.entries(metrics)

test('the name of a metric shows its kind', () => {
  for (const [name, { kind, help, labels = [] }] of rows) {
    assert.match(name, /^[a-z]+(_[a-z0-9]+)*$/)
    assert.match(help, /^[A-Z0-9].*\.$/, name)
    assert.equal(name.endsWith('_total'), kind === 'counter', name)
    if (kind === 'histogram') assert.match(name, /_seconds$/)
    for (const label of labels) assert.match(label, /^[a-z_]+$/, name)
  }
})

test('the longest series of each metric of an edge fits into a report', () => {
  for (const [name, { labels = [] }] of Object.entries<MetricRow>(edgeMetrics)) {
    const longest = seriesKey(name, Object.fromEntries(labels.map((label) => [label, 'x'.repeat(63)])))
    assert.ok(longest.length <= 200, name)
  }
})

test('no two parts of the table have a metric of the same name', () => {
  const names = [edgeMetrics, controlMetrics, fleetMetrics, accessMetrics].flatMap((part) =>
    Object.keys(part),
  )
  assert.equal(new Set(names).size, names.length)
})
