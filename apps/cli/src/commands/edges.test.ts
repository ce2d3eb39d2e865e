import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EdgeView } from '@imapfleet/api'
import { plain } from '../print/colour.ts'
import { edgeFacts } from './edges.ts'

const edgeOf = (state: EdgeView['state']): EdgeView => ({
  ...{
    id: 'eu-1',
    state,
    region: 'eu',
    version: '0.1.0',
    boot: 'b',
    degraded: [],
    problems: [],
    listeners: [],
  },
  startedAt: '2026-03-01T10:00:00.000Z',
  lastSeenAt: '2026-03-01T10:00:00.000Z',
  connections: { cached: 4, active: 1, clients: 2 },
  config: { wanted: 1, applied: 1, rejected: null },
})

test('an edge that is not heard has no figures: those of its last heartbeat are outdated', () => {
  const figuresOf = (state: EdgeView['state']) =>
    edgeFacts(edgeOf(state), { width: undefined, paint: plain })
      .map((line) => line.split(/ {2,}/))
      .filter(([name = '']) => ['cached', 'active', 'clients'].includes(name))
      .map(([, value]) => value)
  assert.deepEqual(figuresOf('serving'), ['4 idle connections', '1 connection in use', '2 clients connected'])
  for (const state of ['silent', 'incompatible'] as const)
    assert.deepEqual(figuresOf(state), ['-', '-', '-'], state)
})
