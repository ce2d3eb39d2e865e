import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { statusOfRevision, statusOfRevocation, type AppliedByEdge } from './applied.ts'

const edge = (rest: Partial<AppliedByEdge>): AppliedByEdge => ({
  desiredClaimed: 900,
  configApplied: 5,
  configVersions: { global: 100, region: 500, edge: 0 },
  configRejected: null,
  configRejectedReason: null,
  configRejectedVersions: null,
  revocationsApplied: 900,
  silent: false,
  ...rest,
})
const change = { layerKind: 'region', revision: 5, version: 500 } as const

suite('whether an edge has applied a revision', () => {
  const same = { global: 100, region: 500, edge: 0 }
  const older = { global: 100, region: 400, edge: 0 }
  const cases: [string, Partial<AppliedByEdge>, string][] = [
    ['it runs this revision', {}, 'applied'],
    [
      'it runs a later one of this layer, and is silent',
      { configVersions: { ...older, region: 600 }, silent: true },
      'applied',
    ],
    ['it runs an older one of this layer', { configVersions: older }, 'pending'],
    ['it runs a newer one of another layer', { configVersions: { ...older, global: 800 } }, 'pending'],
    [
      'its revision has the same number, in another history',
      { configVersions: { ...older, region: null } },
      'pending',
    ],
    [
      'it refused it',
      { configVersions: older, configRejected: 5, configRejectedVersions: same, configRejectedReason: 'no' },
      'rejected',
    ],
    [
      'it refused an older one',
      { configVersions: older, configRejected: 5, configRejectedVersions: older },
      'pending',
    ],
    [
      'it refused one of another history',
      { configVersions: older, configRejected: 5, configRejectedVersions: { ...older, region: null } },
      'pending',
    ],
    ['it is silent', { configVersions: older, silent: true }, 'silent'],
    ['it has applied no desired state yet', { configVersions: null, configApplied: 5 }, 'pending'],
  ]
  for (const [title, rest, status] of cases)
    test(title, () => assert.equal(statusOfRevision(change, edge(rest)).status, status))

  test('edges of a release without versions are compared by number', () => {
    const old = { desiredClaimed: null, configVersions: null }
    const statusOf = (rest: Partial<AppliedByEdge>) => statusOfRevision(change, edge({ ...old, ...rest }))
    assert.equal(statusOf({}).status, 'applied')
    assert.equal(statusOf({ configApplied: 4 }).status, 'pending')
    assert.equal(statusOf({ configApplied: 4, configRejected: 4 }).status, 'pending')
    assert.deepEqual(statusOf({ configApplied: 4, configRejected: 5, configRejectedReason: 'no such key' }), {
      status: 'rejected',
      reason: 'no such key',
    })
  })
})

test('a revocation is applied up to the last version of this history that the edge has run', () => {
  assert.equal(statusOfRevocation(900, edge({})), 'applied')
  assert.equal(statusOfRevocation(901, edge({})), 'pending')
  assert.equal(statusOfRevocation(901, edge({ silent: true })), 'silent')
})
