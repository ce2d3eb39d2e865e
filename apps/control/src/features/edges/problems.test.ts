import assert from 'node:assert/strict'
import { test } from 'node:test'
import { largeSkew, edgeProblems } from './problems.ts'
import type { EdgeRow } from './queries.ts'
import { edgeView } from './view.ts'
import { liveEdge } from './live-edge.ts'

const seen = new Date('2026-11-27T12:00:00Z')
const well = {
  ...{ id: 'eu-1', region: 'eu', boot: 'boot-a', version: '1', state: 'serving', wireVersion: 1 },
  ...{ startedAt: seen, lastSeenAt: seen, heartbeatMs: 5_000, otherBoots: [], clockSkewMs: 12 },
  ...{ configApplied: 4, configVersions: { global: 40, region: 0, edge: 0 } },
  ...{ configRejected: null, configRejectedReason: null, configRejectedVersions: null },
  ...{ gauges: {}, degraded: [], unsaved: null, listeners: [], drain: false, forgottenAt: null },
  ...{ missing: false, silent: false, silentMs: 0, counted: null, countedBefore: null },
} as unknown as EdgeRow & { counted: null; countedBefore: null }

const wanted = { revision: 4, versions: { global: 40, region: 0, edge: 0 }, hasCredential: true }

const problems = (row: Partial<EdgeRow>, more: Partial<typeof wanted> = {}) =>
  edgeProblems({ ...well, ...row }, { ...wanted, ...more }).map(
    ({ kind, severity, text }) => `${severity} ${kind}: ${text}`,
  )

test('a healthy edge has no problem', () => {
  assert.deepEqual(problems({}), [])
  assert.deepEqual(edgeProblems(well, { ...wanted, hasCredential: undefined }), [])
})

test('each kind of problem has its text', () => {
  const other = (seenAt: number, beats = 2) => [{ boot: 'boot-b', sequence: 9, seenAt, beats }]
  const versions = { global: 39, region: 0, edge: 0 }
  const cases: [Partial<EdgeRow>, string][] = [
    [
      { missing: true, silent: true },
      'bad silent: no heartbeat since 2026-11-27T12:00:00.000Z: the edge or its connection to NATS is down',
    ],
    [
      { wireVersion: 2, silent: true },
      'bad wire-version: speaks wire version 2, and control speaks 1: upgrade control',
    ],
    [
      { wireVersion: 0, silent: true },
      'bad wire-version: speaks wire version 0, and control speaks 1: upgrade the edge',
    ],
    [
      { otherBoots: other(seen.getTime() - 4_000) },
      'bad instances: 2 processes use its id, boots boot-a and boot-b: give each its own edge.id',
    ],
    [{ degraded: ['upstream main: refused'] }, 'bad reported: upstream main: refused'],
    [
      { degraded: ['it cannot write', 'x'], unsaved: 'it cannot write' },
      'bad unsaved: it cannot write|bad reported: x',
    ],
    [
      { clockSkewMs: 86_400_000 - 900 },
      'warning clock: its clock is 24 h ahead of the clock of control: set it, or run NTP',
    ],
    [
      { clockSkewMs: -90_000 },
      'warning clock: its clock is 90 s behind the clock of control: set it, or run NTP',
    ],
    [{ configApplied: 3, configVersions: versions }, 'warning drift: runs revision 3, but should run 4'],
    // The same number, of a history that was lost.
    [
      { configVersions: versions },
      'warning drift: runs revision 4 of another database, but should run revision 4 of this one',
    ],
    [
      {
        ...{ configApplied: 3, configVersions: versions },
        ...{ configRejected: 4, configRejectedVersions: wanted.versions, configRejectedReason: 'no key' },
      },
      'bad rejected: refused revision 4 and runs 3: no key',
    ],
    // An edge of a release without versions.
    [
      { configApplied: 3, configVersions: null, configRejected: 4, configRejectedReason: 'no key' },
      'bad rejected: refused revision 4 and runs 3: no key',
    ],
  ]
  for (const [row, expected] of cases) assert.equal(problems(row).join('|'), expected)
  assert.deepEqual(problems({}, { hasCredential: false }), [
    'bad credential: its credential is revoked or has expired, so NATS refuses it',
  ])
})

test('what is over or small is no problem', () => {
  // The other process has ended, or was only late.
  for (const [seenAt, beats] of [
    [seen.getTime() - 16_000, 5],
    [seen.getTime(), 1],
  ] as const)
    assert.deepEqual(problems({ otherBoots: [{ boot: 'boot-b', sequence: 9, seenAt, beats }] }), [])
  for (const clockSkewMs of [null, 4_999, -4_999]) assert.deepEqual(problems({ clockSkewMs }), [])
  assert.deepEqual([largeSkew(5_000), largeSkew(-5_000), largeSkew(null)], [5_000, -5_000, undefined])
  // An older revision was refused.
  const older = { global: 39, region: 0, edge: 0 }
  assert.deepEqual(problems({ configRejected: 3, configRejectedVersions: older }), [])
})

test('what a silent edge reported before is outdated, and serious problems come first', () => {
  const row: Partial<EdgeRow> = {
    ...{ missing: true, silent: true, degraded: ['old'], clockSkewMs: 60_000, configApplied: 3 },
  }
  assert.equal(problems(row).length, 1)
  const drifting = problems({ clockSkewMs: 60_000, degraded: ['x'] })
  assert.deepEqual(
    drifting.map((text) => text.split(' ')[0]),
    ['bad', 'warning'],
  )
})

test('the API, live views and lists have the same problems, and the state of an edge that control cannot read', () => {
  const row = { ...well, wireVersion: 2, silent: true }
  const view = edgeView(row, new Map(), undefined, new Map([['eu-1', false]]))
  assert.equal(view.state, 'incompatible')
  assert.deepEqual(
    view.problems.map(({ kind }) => kind),
    ['credential', 'wire-version'],
  )
  assert.deepEqual(liveEdge(row, view).problems, view.problems)
  assert.equal(edgeView({ ...row, missing: true }, new Map(), undefined, new Map()).state, 'silent')
})
