import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EdgeView } from '@imapfleet/api'
import { temporaryDirectory } from '@imapfleet/local/temporary-directory'
import { Failure } from '../failure.ts'
import { serveLoopback } from '../loopback.test-support.ts'
import { programWith } from '../program.test-support.ts'
import { rowsWithOrigin } from './config.ts'

const at = '2026-12-01T10:00:00.000Z'
/** The rollouts of the fleet, the newest first. */
let rollouts: object[] = []
const rollout = (revision: number, layer: object) => ({
  ...{ revision, layer, state: 'running', createdAt: at, createdBy: 'alice' },
  ...{ reason: null, finishedAt: null, undoneBy: null, settings: {} },
  waves: [{ name: 'canary', state: 'current', edges: 1 }],
})
const edge: EdgeView = {
  ...{ id: 'eu-1', region: 'eu', state: 'serving', version: '1', boot: 'b', startedAt: at, lastSeenAt: at },
  ...{ degraded: [], problems: [], listeners: [], connections: { cached: 0, active: 0, clients: 0 } },
  config: { wanted: 1, applied: 1, rejected: null },
}
const server = await serveLoopback((request, response) => {
  const { pathname } = new URL(request.url ?? '', 'http://127.0.0.1')
  const answers: Record<string, object> = {
    '/v1/config': { revision: 1, layers: {} },
    '/v1/edges': { edges: [edge], next: null },
    '/v1/rollouts': { rollouts, next: null },
  }
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answers[pathname]))
})
const run = programWith(server, temporaryDirectory('cli-config-get'))

test('a region that the token does not see is refused, as an edge is', async () => {
  rollouts = []
  await assert.rejects(
    run('config', 'get', '--region', 'nosuch'),
    (error) => error instanceof Failure && error.kind === 'refused' && /no region nosuch/.test(error.message),
  )
  const { stderr } = await run('config', 'get', '--region', 'eu')
  assert.equal(stderr, 'no completed revision sets anything: edges use their own files\n')
  rollouts = [rollout(2, { kind: 'region', name: 'new' })]
  assert.match((await run('config', 'get', '--region', 'new')).stderr, /revision 2 of region\/new is being/)
})

test('an edge does not use its own file alone while a revision is being rolled out', async () => {
  rollouts = [rollout(2, { kind: 'global' })]
  const { stderr } = await run('config', 'get', 'pool.usesMax')
  assert.match(stderr, /^no completed revision sets pool\.usesMax\nrevision 2 of global is being rolled out/)
})

test('the rollout of an edge that is named like the region is not one of the region', async () => {
  rollouts = [rollout(2, { kind: 'edge', name: 'eu' })]
  assert.doesNotMatch((await run('config', 'get', '--region', 'eu')).stderr, /revision 2/)
})

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
