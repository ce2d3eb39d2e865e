import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EdgeView } from '@imapfleet/api'
import {
  edgeRowsOf,
  figuresOf,
  fillOf,
  isNearLimit,
  firstOrder,
  matchingRows,
  sortedRows,
  sortKeys,
  type EdgeFilter,
} from './edge-rows.ts'
import { healthyEdge, testedAt as now } from './edge-view.test-support.ts'

const edge = (id: string, more: Partial<EdgeView> = {}): EdgeView => ({
  ...healthyEdge,
  id,
  region: id.slice(0, 2),
  listeners: ['mail.example.org:993'],
  ...more,
})
const drift = { kind: 'drift', severity: 'warning', text: 'runs revision 3, but should run 4' } as const
const silent = { kind: 'silent', severity: 'bad', text: 'no heartbeat' } as const
const fleet = [
  edge('us-10'),
  edge('us-9', { state: 'draining', connections: { cached: 0, active: 0, clients: 8 } }),
  edge('eu-1', { problems: [drift], limits: { clients: 10, connections: 4 } }),
  edge('eu-2', { state: 'silent', problems: [silent], limits: { clients: 10, connections: 4 } }),
]
const figures = new Map([
  ['us-9', { sessions: 5, reuse: 0.5, failed: 0, refused: 0, login: 0.2 }],
  ['eu-1', { sessions: 12, reuse: null, failed: 3, refused: 0, login: 0.1 }],
])
const rows = edgeRowsOf(fleet, figures, now)
const ids = (shown: readonly { edge: EdgeView }[]) => shown.map((row) => row.edge.id).join(' ')
const everything: EdgeFilter = { text: '', state: '', region: '', problem: '' }

test('problems come first: what is wrong, then what is worth knowing, then by region and name', () => {
  assert.equal(ids(sortedRows(rows, firstOrder('problems'))), 'eu-2 eu-1 us-9 us-10')
})

test('every column sorts in both directions, and edges without a value come last in both', () => {
  const by = (key: (typeof sortKeys)[number], isDescending: boolean) =>
    ids(sortedRows(rows, { key, isDescending }))
  assert.equal(by('edge', false), 'eu-1 eu-2 us-9 us-10')
  assert.equal(by('edge', true), 'us-10 us-9 eu-2 eu-1')
  assert.equal(by('sessions', true), 'eu-1 us-9 eu-2 us-10')
  assert.equal(by('sessions', false), 'us-9 eu-1 eu-2 us-10')
  assert.equal(by('clients', true), 'us-9 eu-1 us-10 eu-2', 'a silent edge has no present figures')
  assert.equal(by('state', false), 'eu-2 us-9 eu-1 us-10')
  assert.equal(by('connections', true), 'eu-1 us-9 us-10 eu-2')
  for (const key of sortKeys) assert.equal(sortedRows(rows, firstOrder(key)).length, 4, key)
})

test('rows are filtered by words, state, region and problem', () => {
  const match = (filter: Partial<EdgeFilter>) => ids(matchingRows(rows, { ...everything, ...filter }))
  assert.equal(match({}), 'us-10 us-9 eu-1 eu-2')
  assert.equal(match({ text: 'EU- ' }), 'eu-1 eu-2')
  assert.equal(match({ text: 'us -9' }), 'us-9', 'each word, anywhere')
  assert.equal(match({ text: 'revision' }), 'eu-1', 'in the text of a problem')
  assert.equal(match({ text: ':993 us-1' }), 'us-10')
  assert.equal(match({ state: 'draining' }), 'us-9')
  assert.equal(match({ region: 'eu', state: 'silent' }), 'eu-2')
  assert.equal(match({ problem: 'any' }), 'us-9 eu-1 eu-2')
  assert.equal(match({ problem: 'drift' }), 'eu-1')
})

test('the figures of an edge are those of the whole time, and a ratio without logins is unknown', () => {
  const history = {
    from: '2026-11-27T11:55:00Z',
    to: '2026-11-27T12:00:00Z',
    stepSeconds: 60,
    resolution: '1m' as const,
    groupBy: 'edge' as const,
    metrics: [],
    groups: [
      { group: 'eu-1', values: [], totals: [2.5, 10, 8, 0.1, 0.2, 0.3] },
      { group: 'eu-2', values: [], totals: [0, 0, 0, 0, 0, null] },
    ],
  }
  const found = figuresOf(history)
  assert.deepEqual(found.get('eu-1'), { sessions: 2.5, reuse: 0.8, failed: 0.1, refused: 0.2, login: 0.3 })
  assert.deepEqual(found.get('eu-2'), { sessions: 0, reuse: null, failed: 0, refused: 0, login: null })
})

test('the share of the limit is unknown for a silent edge and for one that does not tell its limits', () => {
  assert.deepEqual(fleet.map(fillOf), [null, null, 0.75, null])
})

test('idle server connections do not bring an edge near its limit', () => {
  const withConnections = (active: number, cached: number, more: Partial<EdgeView> = {}) =>
    edge('eu-9', {
      limits: { clients: 10, connections: 100 },
      connections: { ...healthyEdge.connections, active, cached },
      ...more,
    })
  const edges = [
    withConnections(10, 90),
    withConnections(89, 0),
    withConnections(90, 0),
    withConnections(90, 0, { limits: undefined }),
  ]
  assert.deepEqual(edges.map(isNearLimit), [false, false, true, false])
})
