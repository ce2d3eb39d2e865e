import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Finding } from './findings.ts'
import { uncoveredFindings } from './uncovered.ts'

test('what an alert about the same edge tells is left out, and nothing else', () => {
  const finding = (edge: string, kind: Finding['kind']): Finding => ({ edge, kind, tone: 'bad', text: '' })
  const found = [finding('eu-1', 'silent'), finding('eu-2', 'silent'), finding('eu-1', 'rejected')]
  const alerts = [
    { rule: 'edge-silent' as const, edge: 'eu-1', subject: 'eu-1' },
    { rule: 'edge-silent' as const, edge: null, subject: '' },
    { rule: 'upstream-down' as const, edge: 'eu-2', subject: 'eu-2/main' },
  ]
  assert.deepEqual(uncoveredFindings(found, alerts), found.slice(1))
  assert.deepEqual(uncoveredFindings(found, []), found)
})

test('what an edge reports about a mail server is left out if an alert tells that it is down', () => {
  const finding = (edge: string, text: string): Finding => ({ edge, kind: 'reported', tone: 'bad', text })
  const found = [
    finding('eu-1', 'upstream main: no greeting.'),
    finding('eu-1', 'upstream old: no greeting.'),
    finding('eu-2', 'upstream main: no greeting.'),
    finding('eu-1', 'restart it for http.port.'),
  ]
  const alerts = [{ rule: 'upstream-down' as const, edge: 'eu-1', subject: 'eu-1/main' }]
  assert.deepEqual(uncoveredFindings(found, alerts), found.slice(1))
})
