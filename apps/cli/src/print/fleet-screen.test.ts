import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LiveEdge } from '@imapfleet/api'
import { plain } from './colour.ts'
import { fleetScreen, keys, sortings, type Sorting } from './fleet-screen.ts'

const at = '2026-01-01T00:00:00.000Z'
const edge = (id: string, reported: string[]): LiveEdge => ({
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
  degraded: reported,
  problems: reported.map((text) => ({ kind: 'reported', severity: 'bad', text })),
})

const screen = (width: number | undefined, edges: LiveEdge[], sorting: Sorting = 'edge') =>
  fleetScreen(
    { at: 0, stale: undefined, edges },
    { sorting, region: undefined },
    { width, paint: plain },
    Date.parse(at) + 49 * 3_600_000,
    keys,
  )

const titles = (width: number | undefined, degraded: string[] = [], sorting: Sorting = 'edge') => {
  const lines = screen(width, [edge('eu-central-1', degraded), edge('eu-2', [])], sorting)
  const [title = '', ...rows] = lines.slice(lines.findIndex((line) => line.startsWith('EDGE')))
  for (const line of [title, ...rows]) assert.ok(width === undefined || line.length <= width, line)
  return { title: title.split(/ +/), rows: rows.join('\n') }
}

const all = 'EDGE REGION STATE SESS/S REUSE ACTIVE CACHED ERR/S LOGIN REVISION WRONG'.split(' ')

test('problems are readable at 80 columns, and the least important columns are hidden', () => {
  const { title, rows } = titles(80, ['upstream main: connection refused'])
  assert.match(rows, /upstream main: connection refused/)
  assert.deepEqual(title, ['EDGE', 'STATE', 'SESS/S', 'REUSE', 'ERR/S', 'WRONG'])
})

test('of a problem that is too long, the beginning and the end are shown', () => {
  const { rows } = titles(80, ['upstream main: imap.example.org port 143: timed-out'])
  assert.match(rows, /upstream main.*….*: timed-out/)
})

test('a silent edge is shown with how long it has been silent', () => {
  const silent: LiveEdge = {
    ...edge('eu-1', []),
    state: 'silent',
    loginP50Ms: 30_800,
    problems: [{ kind: 'silent', severity: 'bad', text: 'no heartbeat since a while' }],
  }
  assert.match(screen(80, [silent]).join('\n'), /silent .* last heartbeat 2 d 1 h ago$/)
  assert.match(screen(200, [silent]).join('\n'), / 30\.8 s /)
})

test('what a silent or incompatible edge had is in no total, and not shown as present', () => {
  const gone = (['silent', 'incompatible'] as const).map((state) => ({ ...edge(state, []), state }))
  const lines = screen(200, [{ ...edge('eu-1', []), active: 3, cached: 7 }, ...gone])
  assert.match(
    lines.join('\n'),
    /1 of 3 edges +1234 sessions\/s +reuse 98\.7 % +3 active +7 cached +12\.3 errors/,
  )
  for (const state of ['silent', 'incompatible'])
    assert.match(lines.find((line) => line.startsWith(state)) ?? '', / - +- /)
})

test('totals and keys are complete at any width', () => {
  for (const width of [40, 80, 100, 200, undefined]) {
    const lines = screen(width, [edge('eu-1', [])])
    const head = lines.slice(
      0,
      lines.findIndex((line) => line.startsWith('EDGE')),
    )
    for (const line of head) assert.ok(width === undefined || line.length <= width, line)
    assert.match(head.join('\n'), /12\.3 errors\/s/)
    for (const name of Object.keys(sortings)) assert.match(head.join('\n'), new RegExp(`\\w ${name}\\b`))
  }
})

test('nothing is hidden if there is room, or without a terminal', () => {
  assert.deepEqual(titles(200, ['upstream main: connection refused']).title, all)
  assert.deepEqual(titles(undefined, ['upstream main: connection refused']).title, all)
})

test('the column that the rows are sorted by is not hidden', () => {
  const { title } = titles(80, ['upstream main: connection refused'], 'cached')
  assert.ok(title.includes('CACHED▾') && !title.includes('ACTIVE'), title.join(' '))
})
