import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LiveEdge } from '@imapfleet/protocol'
import { fleetScreen, type Sorting } from './fleet-screen.ts'

const at = '2026-01-01T00:00:00.000Z'
const edge = (id: string, degraded: string[]): LiveEdge => ({
  id,
  region: 'eu-central',
  state: 'serving',
  version: '1',
  lastSeenAt: at,
  sessionsPerSecond: 1234,
  loginsPerSecond: 1234,
  reuseRatio: 0.987,
  errorsPerSecond: 12.3,
  loginP50Ms: 0.432,
  clients: 5,
  active: 4321,
  cached: 12_345,
  waiting: 0,
  config: { wanted: 1234, applied: 1233 },
  degraded,
})

const titles = (width: number | undefined, degraded: string[] = [], sorting: Sorting = 'edge') => {
  const view = { at: 0, stale: undefined, edges: [edge('eu-central-1', degraded), edge('eu-2', [])] }
  const page = { width, paint: (_: unknown, text: string) => text }
  const [, , title = '', ...rows] = fleetScreen(view, { sorting, region: undefined }, page, 0)
  for (const line of [title, ...rows]) assert.ok(width === undefined || line.length <= width, line)
  return { title: title.split(/ +/), rows: rows.join('\n') }
}

const all = 'EDGE REGION STATE SESS/S REUSE ACTIVE CACHED ERR/S LOGIN REVISION WRONG'.split(' ')

test('what is wrong can be read at 80 columns, at the cost of what is needed least', () => {
  const { title, rows } = titles(80, ['upstream main: connection refused'])
  assert.match(rows, /upstream main: connect/)
  assert.deepEqual(title, ['EDGE', 'STATE', 'SESS/S', 'REUSE', 'ERR/S', 'LOGIN', 'WRONG'])
})

test('nothing is left out where there is room, or nobody looks', () => {
  assert.deepEqual(titles(200, ['upstream main: connection refused']).title, all)
  assert.deepEqual(titles(undefined, ['upstream main: connection refused']).title, all)
})

test('what the rows are sorted by stays', () => {
  const { title } = titles(80, ['upstream main: connection refused'], 'cached')
  assert.ok(title.includes('CACHED▾') && !title.includes('ACTIVE'), title.join(' '))
})
