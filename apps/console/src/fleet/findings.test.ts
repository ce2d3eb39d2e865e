import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EdgeProblem, EdgeView } from '@imapfleet/api'
import { healthyEdge as well, testedAt as now } from './edge-view.test-support.ts'
import { findingsOf, groupFindings } from './findings.ts'

test('a healthy edge is not a finding', () => {
  assert.deepEqual(findingsOf([well], now), [])
})

const problem = (
  kind: EdgeProblem['kind'],
  severity: EdgeProblem['severity'],
  text: string,
): Pick<EdgeView, 'problems'> => ({ problems: [{ kind, severity, text }] })

test('the worst findings come first, each with its edge', () => {
  const found = findingsOf(
    [
      { ...well, id: 'draining', state: 'draining', drain: true },
      { ...well, id: 'behind', ...problem('drift', 'warning', 'runs revision 3, but should run 4') },
      {
        ...well,
        id: 'silent',
        state: 'silent',
        lastSeenAt: '2026-11-27T11:48:00Z',
        pool: { dialing: 0, leased: 0, resetting: 0, idle: 0, waiting: 5 },
        ...problem('silent', 'bad', 'no heartbeat since 2026-11-27T11:48:00Z'),
      },
      { ...well, id: 'refuser', ...problem('rejected', 'bad', 'refused revision 4 and runs 3: no key') },
      {
        ...well,
        id: 'other',
        state: 'incompatible',
        ...problem('wire-version', 'bad', 'speaks wire version 2'),
      },
      { ...well, id: 'alone', ...problem('reported', 'bad', 'upstream main: connection refused.') },
    ],
    now,
  )
  assert.deepEqual(
    found.map(({ edge, tone, text }) => `${tone} ${edge} ${text}`),
    [
      'bad silent has been silent for 12 min: the edge or its connection to NATS is down.',
      'bad refuser refused revision 4 and runs 3: no key.',
      'bad other speaks wire version 2.',
      'bad alone upstream main: connection refused.',
      'warn draining is draining; 3 clients still connected.',
      'warn behind runs revision 3, but should run 4.',
    ],
  )
})

test('a forgotten edge has no other finding', () => {
  const forgotten: EdgeView = { ...well, state: 'silent', forgottenAt: '2026-11-27T11:00:00Z' }
  const [first, ...others] = findingsOf([forgotten], now)
  assert.match(`${first?.tone} ${first?.text}`, /^warn was forgotten and is in no list/)
  assert.deepEqual(others, [])
})

test('a problem that many edges have is one line, below or above others by its severity', () => {
  const silent = Array.from({ length: 4 }, (_, index) => ({
    ...well,
    id: `us-${index}`,
    state: 'silent' as const,
    ...problem('silent', 'bad', 'no heartbeat'),
  }))
  const behind = { ...well, id: 'eu-1', ...problem('drift', 'warning', 'runs revision 3, but should run 4') }
  const groups = groupFindings(findingsOf([behind, ...silent], now))
  assert.deepEqual(
    groups.map((group) =>
      group.kind === 'one' ? group.finding.edge : `${group.edges.length} ${group.of} ${group.tone}`,
    ),
    ['4 silent bad', 'eu-1'],
  )
  const [one] = groupFindings(findingsOf(silent.slice(0, 2), now))
  assert.equal(one?.kind, 'one', 'two edges are named')
})

test('several problems of one or two edges are not counted as edges', () => {
  const reporting = (id: string, ...texts: string[]): EdgeView => ({
    ...well,
    id,
    problems: texts.map((text) => ({ kind: 'reported', severity: 'bad', text })),
  })
  const groups = (...edges: EdgeView[]) =>
    groupFindings(findingsOf(edges, now)).map((group) =>
      group.kind === 'one' ? `${group.finding.edge}: ${group.finding.text}` : `${group.edges.length} edges`,
    )
  assert.deepEqual(groups(reporting('us-1', 'a', 'b', 'c')), ['us-1: a.', 'us-1: b.', 'us-1: c.'])
  assert.deepEqual(groups(reporting('us-1', 'a', 'b'), reporting('us-2', 'c')), [
    'us-1: a.',
    'us-1: b.',
    'us-2: c.',
  ])
  assert.deepEqual(groups(reporting('us-1', 'a', 'b'), reporting('us-2', 'c'), reporting('us-3', 'd')), [
    '3 edges',
  ])
})
