import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rowsWithOrigin } from './config.ts'

test('each value of an edge is shown with the layer it comes from, or the rollout that has reached the edge', () => {
  const layers = {
    global: { pool: { usesMax: 100, idleTimeoutMs: 1 }, clients: { idleTimeoutMs: 5 } },
    'region/eu': { pool: { idleTimeoutMs: 2 } },
    'region/us': { pool: { usesMax: 7 } },
    'edge/eu-1': { log: { level: 'debug' } },
  }
  const layer = {
    pool: { usesMax: 2_000, idleTimeoutMs: 2, lifetimeMaxMs: 9 },
    clients: { idleTimeoutMs: 5 },
    log: { level: 'debug' },
  }
  const rows = rowsWithOrigin({ revision: 12, layer }, layers, ['edge/eu-1', 'region/eu', 'global'])
  assert.deepEqual(Object.fromEntries(rows.map(({ key, layer: from }) => [key, from])), {
    'pool.usesMax': 'rollout of 12',
    'pool.idleTimeoutMs': 'region/eu',
    'pool.lifetimeMaxMs': 'rollout of 12',
    'clients.idleTimeoutMs': 'global',
    'log.level': 'edge/eu-1',
  })
})
