import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EdgeRow } from '../edges/queries.ts'
import { revisionStatus } from './revision-view.ts'

const revision = (layerKind: 'global' | 'region' | 'edge', layerName: string) => ({
  revision: 5,
  version: 500,
  layerKind,
  layerName,
  state: 'released' as const,
  createdAt: new Date(0),
  createdBy: 'ann',
  note: '',
  changes: [],
})

const edge = (id: string, region: string, rest: Partial<EdgeRow>): EdgeRow => ({
  id,
  region,
  boot: '',
  version: '',
  state: 'serving',
  startedAt: new Date(0),
  firstSeenAt: new Date(0),
  lastSeenAt: new Date(0),
  sentAt: new Date(0),
  heartbeatMs: 5000,
  configApplied: 0,
  configRejected: null,
  configRejectedReason: null,
  revocationsApplied: 0,
  desiredClaimed: null,
  desiredVersion: null,
  configVersions: null,
  configRejectedVersions: null,
  gauges: {},
  degraded: [],
  listeners: [],
  drain: false,
  drainVersion: 0,
  forgottenAt: null,
  silent: false,
  silentMs: 0,
  ...rest,
})

const edges = [
  edge('runs-it', 'eu', { configApplied: 5 }),
  edge('does-not', 'eu', { configApplied: 4 }),
  edge('is-elsewhere', 'us', { configApplied: 4 }),
]

test('the status of a revision has the edges that its layer applies to', () => {
  const statuses = (layerKind: 'global' | 'region' | 'edge', layerName = '') =>
    revisionStatus(revision(layerKind, layerName), edges).edges.map(({ id, status }) => [id, status])
  assert.deepEqual(statuses('region', 'eu'), [
    ['runs-it', 'applied'],
    ['does-not', 'pending'],
  ])
  assert.deepEqual(statuses('edge', 'does-not'), [['does-not', 'pending']])
  assert.equal(statuses('global').length, 3)
})
