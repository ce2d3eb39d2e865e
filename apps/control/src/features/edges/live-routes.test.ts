import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fleetOf, inParts } from './live-routes.ts'

/** As large as the schema of heartbeats allows. */
const degraded = Array.from({ length: 50 }, () => 'x'.repeat(500))
const edge = (id: number, wrong: string[]) => ({
  ...{ id: `edge-${id}`, region: 'eu' },
  json: JSON.stringify({ id: `edge-${id}`, degraded: wrong }),
})

test('an event is within the size that readers accept, however many problems the fleet has', () => {
  const edges = Array.from({ length: 1000 }, (_, id) => edge(id, degraded))
  const parts = inParts(edges)
  assert.deepEqual(parts.flat(), edges)
  for (const part of parts) assert.ok(fleetOf(part, { at: '', total: 1000 }).text.length < 1_000_000)
})

test('a second without changes has an event, too', () => {
  assert.deepEqual(inParts([]), [[]])
})
