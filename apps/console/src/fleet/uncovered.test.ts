import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AlertRuleName } from '@imapfleet/api'
import { findingWords, type Finding, type FindingKind } from './findings.ts'
import { uncoveredFindings } from './uncovered.ts'

const now = new Date('2026-12-01T10:00:00Z')
const uncovered = (found: readonly Finding[], alerts: Parameters<typeof uncoveredFindings>[1]) =>
  uncoveredFindings(found, alerts, now)

test('what an alert about the same edge tells is left out, and nothing else', () => {
  const finding = (edge: string, kind: FindingKind): Finding => ({ edge, kind, tone: 'bad', text: '' })
  const found = [finding('eu-1', 'silent'), finding('eu-2', 'silent'), finding('eu-1', 'rejected')]
  const alerts = [
    { rule: 'edge-silent' as const, edge: 'eu-1', subject: 'eu-1', text: '' },
    { rule: 'edge-silent' as const, edge: null, subject: '', text: '' },
    { rule: 'upstream-down' as const, edge: 'eu-2', subject: 'eu-2/main', text: '' },
  ]
  assert.deepEqual(uncovered(found, alerts), found.slice(1))
  assert.deepEqual(uncovered(found, []), found)
})

test('each kind of problem that opens an alert is covered by it', () => {
  const rules: Partial<Record<FindingKind, AlertRuleName>> = {
    silent: 'edge-silent',
    'wire-version': 'edge-silent',
    credential: 'edge-problems',
    instances: 'two-instances',
    unsaved: 'state-unsaved',
    rejected: 'drift',
    drift: 'drift',
    clock: 'clock-skew',
    refused: 'edge-refused',
    reported: 'edge-problems',
    waiting: 'logins-wait',
  }
  for (const kind of Object.keys(findingWords) as FindingKind[]) {
    const found: Finding[] = [{ edge: 'eu-1', kind, tone: 'bad', text: 'no space left.' }]
    const told = (rule: AlertRuleName) =>
      uncovered(found, [{ rule, edge: 'eu-1', subject: 'eu-1', text: 'eu-1: no space left' }])
    const rule = rules[kind]
    if (rule !== undefined) assert.deepEqual(told(rule), [], kind)
    assert.deepEqual(told('logins-fail'), found, kind)
  }
})

test('what an edge reports is left out as far as the text of the alert reaches', () => {
  const found = ['a', 'b', 'c'].map((letter): Finding => ({
    ...{ edge: 'eu-1', kind: 'reported', tone: 'bad' },
    text: `${letter.repeat(240)}.`,
  }))
  const text = `eu-1: ${found.map((finding) => finding.text.slice(0, -1)).join('; ')}`.slice(0, 500)
  const alert = { rule: 'edge-problems' as const, edge: 'eu-1', subject: 'eu-1', text }
  assert.deepEqual(uncovered(found, [alert]), found.slice(2))
})

test('what an edge reports about a mail server is left out if an alert tells that it is down', () => {
  const finding = (edge: string, text: string): Finding => ({ edge, kind: 'reported', tone: 'bad', text })
  const found = [
    finding('eu-1', 'upstream main: no greeting.'),
    finding('eu-1', 'upstream old: no greeting.'),
    finding('eu-2', 'upstream main: no greeting.'),
    finding('eu-1', 'restart it for http.port.'),
  ]
  const alerts = [{ rule: 'upstream-down' as const, edge: 'eu-1', subject: 'eu-1/main', text: '' }]
  assert.deepEqual(uncovered(found, alerts), found.slice(1))
})
