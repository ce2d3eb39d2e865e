import assert from 'node:assert/strict'
import { test } from 'node:test'
import type {
  AlertView,
  AuditEntry,
  EdgeView,
  LiveEdge,
  OperationSummary,
  RevisionView,
  RolloutSummary,
} from '@imapfleet/api'
import { auditColumns } from '../commands/audit.ts'
import { historyColumns } from '../commands/config.ts'
import { edgeListColumns } from '../commands/edges.ts'
import { alertColumns } from './alert.ts'
import { plain } from './colour.ts'
import { firstChoice } from './fleet-choice.ts'
import { fleetScreen } from './fleet-screen.ts'
import { operationColumns } from './operation.ts'
import { rolloutColumns } from './rollout.ts'
import { table, type Column } from './table.ts'
import { dayAndClock } from './time.ts'

const at = '2026-12-01T09:37:12.000Z'
const when = dayAndClock(at)
const who = 'alice@example.org'
const layer = { kind: 'region', name: 'eu-central' } as const
const layerValue = { source: { 'pool.idleTimeoutMs': 60_000, 'pool.usesMax': 100 } }

const audited: AuditEntry = {
  ...{ id: 1_234, at, actor: who, action: 'session.begin', target: 'region/eu-central' },
  ...{ before: layerValue, after: layerValue },
}
const revision: RevisionView = {
  ...{
    revision: 123,
    createdAt: at,
    createdBy: who,
    layer,
    state: 'released',
    note: 'fewer idle connections',
  },
  changes: [{ key: 'pool.idleTimeoutMs', before: 1, after: 2 }],
}
const rollout = {
  ...{ revision: 123, layer, state: 'rolled-back', createdAt: at, createdBy: who },
  ...{ reason: 'eu-1 rejected it: no space is left on the device', finishedAt: at },
  waves: [{ name: 'canary', state: 'current' }],
} as RolloutSummary
const operation = {
  ...{ id: '0a9d2b6e-1111-4222-8333-444455556666', title: 'drain the edges', target: { kind: 'all' } },
  ...{ createdAt: at, createdBy: who, reason: null, state: 'running', stages: [], soakSeconds: 60 },
} as unknown as OperationSummary

const printed = <Row>(columns: readonly Column<Row>[], row: Row, width: number) => {
  const [titles = '', line = ''] = table(columns, [row], { width, paint: plain })
  assert.ok(line.length <= width, line)
  return { titles: titles.split(/ +/), line }
}

test('a time is printed whole, or its column is hidden', () => {
  for (let width = 60; width <= 140; width++)
    for (const { titles, line } of [
      printed(auditColumns, audited, width),
      printed(historyColumns, revision, width),
      printed(rolloutColumns, rollout, width),
      printed(operationColumns, operation, width),
    ]) {
      const hasTime = titles.includes('WHEN') || titles.includes('STARTED')
      assert.equal(line.includes(when), hasTime, `${width}: ${line}`)
    }
})

test('on a narrow terminal the audit log still says when and what, and no longer the values', () => {
  for (const width of [60, 80]) {
    const { titles, line } = printed(auditColumns, audited, width)
    assert.ok(line.includes(when) && line.includes('session.begin'), line)
    assert.ok(!titles.includes('AFTER'), line)
  }
  assert.match(printed(auditColumns, audited, 80).line, /region/)
  assert.match(printed(auditColumns, audited, 140).line, /"source"/)
})

test('at 60 columns the history of the configuration still says when', () => {
  for (const width of [60, 80]) assert.ok(printed(historyColumns, revision, width).line.includes(when))
  assert.ok(printed(rolloutColumns, rollout, 80).line.includes(when))
})

test('a long alert is cut in its middle: the cause is at its end', () => {
  const alert = {
    ...{
      id: 17,
      rule: 'server-down',
      severity: 'page',
      region: 'eu',
      edge: 'eu-1',
      state: 'open',
      since: at,
    },
    ...{ acknowledged: null, silencedBy: null, openedAt: at, resolvedAt: null },
    text: 'eu-1 cannot reach the mail server main at imap.example.org:993 since 17 minutes: connection refused',
  } as unknown as AlertView
  assert.match(printed(alertColumns(Date.parse(at)), alert, 80).line, /eu-1 cannot .*connection refused$/)
})

const longId = `${'e'.repeat(40)}-${'1'.repeat(22)}`
const problems = [{ kind: 'reported', severity: 'bad', text: 'no space is left on the device' }]

test('a long name of an edge hides no problem', () => {
  const edge = {
    ...{ id: longId, region: 'eu', state: 'serving', version: '1', startedAt: at, lastSeenAt: at },
    ...{ listeners: [], problems, connections: { cached: 1, active: 1, clients: 1 } },
    config: { wanted: 1, applied: 1, rejected: null },
  } as unknown as EdgeView
  const { titles, line } = printed(edgeListColumns(Date.parse(at)), edge, 80)
  assert.match(line, /^e{5,}…1{5,} .*serving .*no space is left on the device$/)
  assert.ok(titles.includes('PROBLEMS'))

  const live = {
    ...{ id: longId, region: 'eu', state: 'serving', lastSeenAt: at, problems, version: '1' },
    ...{ sessionsPerSecond: 1, loginsPerSecond: 1, reuseRatio: 1, errorsPerSecond: 0, loginP50Ms: 1 },
    ...{ clients: 1, active: 1, cached: 1, waiting: 0, config: { wanted: 1, applied: 1 }, degraded: [] },
  } as LiveEdge
  const { lines } = fleetScreen(
    { at: 0, stale: undefined, edges: [live] },
    firstChoice('edge'),
    { width: 80, paint: plain },
    Date.parse(at),
  )
  assert.match(lines.at(-1) ?? '', /^e{5,}…1{5,} .*no space.*on the device$/)
})
