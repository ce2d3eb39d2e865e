import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EdgeRow } from '../edges/queries.ts'
import { revisionStatus } from './revision-view.ts'

const revision = (layer: { kind: 'global' } | { kind: 'region' | 'edge'; name: string }) => ({
  revision: 5,
  createdAt: '2026-11-22T18:00:00.000Z',
  createdBy: 'ann',
  note: '',
  layer,
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
  gauges: {},
  degraded: [],
  listeners: [],
  drain: false,
  forgottenAt: null,
  silent: false,
  silentMs: 0,
  ...rest,
})

const edges = [
  edge('runs-it', 'eu', { configApplied: 5 }),
  edge('runs-a-newer-one', 'eu', { configApplied: 6, silent: true }),
  edge('refused-it', 'eu', { configApplied: 4, configRejected: 5, configRejectedReason: 'no such upstream' }),
  edge('refused-an-older-one', 'eu', { configApplied: 4, configRejected: 4, configRejectedReason: 'x' }),
  edge('is-gone', 'eu', { configApplied: 4, silent: true }),
  edge('is-elsewhere', 'us', { configApplied: 4 }),
]

test('each edge of a revision has applied it, refused it, is silent, or is pending', () => {
  const { edges: standing } = revisionStatus(revision({ kind: 'region', name: 'eu' }), edges)
  assert.deepEqual(
    standing.map(({ id, status, reason }) => [id, status, reason]),
    [
      ['runs-it', 'applied', null],
      ['runs-a-newer-one', 'applied', null],
      ['refused-it', 'rejected', 'no such upstream'],
      ['refused-an-older-one', 'pending', null],
      ['is-gone', 'silent', null],
    ],
  )
})

test('a revision for one edge or for all applies to exactly these', () => {
  assert.equal(revisionStatus(revision({ kind: 'global' }), edges).edges.length, 6)
  const ofOne = revisionStatus(revision({ kind: 'edge', name: 'is-gone' }), edges).edges
  assert.deepEqual(
    ofOne.map(({ id }) => id),
    ['is-gone'],
  )
})
