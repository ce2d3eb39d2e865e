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

/** An edge of a release that reports no versions. */
const edge = (id: string, region: string, rest: Partial<EdgeRow>) =>
  ({
    id,
    region,
    configApplied: 0,
    configRejected: null,
    configRejectedReason: null,
    desiredClaimed: null,
    desiredVersion: null,
    configVersions: null,
    configRejectedVersions: null,
    silent: false,
    ...rest,
  }) as EdgeRow

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
