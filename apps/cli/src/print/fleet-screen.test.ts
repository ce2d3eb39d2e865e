import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LiveEdge } from '@imapfleet/api'
import { plain } from './colour.ts'
import { firstChoice, sortings, type ScreenChoice, type Sorting } from './fleet-choice.ts'
import { fleetScreen, helpFor, helpLines } from './fleet-screen.ts'

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

const draw = (
  width: number | undefined,
  edges: LiveEdge[],
  choice: Partial<ScreenChoice> = {},
  rows?: number,
) =>
  fleetScreen(
    { at: 0, stale: undefined, edges },
    { ...firstChoice('edge'), ...choice },
    { width, paint: plain },
    Date.parse(at) + 49 * 3_600_000,
    rows === undefined ? { keys: ['? help'] } : { rows, keys: ['? help'] },
  )
const screen = (width: number | undefined, edges: LiveEdge[], sorting: Sorting = 'edge') =>
  draw(width, edges, { sorting }).lines

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

test('at 60 columns a problem is still readable, and figures are hidden only if there is a problem', () => {
  const { title, rows } = titles(60, ['upstream main: connection refused'])
  assert.deepEqual(title, ['EDGE', 'STATE', 'ERR/S', 'WRONG'])
  assert.match(rows, /upstream ma.*on refused/)
  assert.deepEqual(titles(60).title, ['EDGE', 'STATE', 'SESS/S', 'REUSE', 'ERR/S', 'WRONG'])
  const sorted = titles(60, ['upstream main: connection refused'], 'reuse').title
  assert.deepEqual(sorted, ['EDGE', 'STATE', 'REUSE▾', 'WRONG'])
})

test('on a small terminal the edges and the count of hidden edges have priority over the keys', () => {
  const keys = ['? help', '/ filter', 'g region', 'sort: p n s r a c e l', 'arrows scroll', 'q quit']
  const choice = { ...firstChoice('edge'), top: 4, filter: 'eu-' }
  const page = { width: 30, paint: plain }
  const { lines, visible, top } = fleetScreen(
    { at: 0, stale: undefined, edges: fleet(40, [39, 40]) },
    choice,
    page,
    Date.parse(at),
    { rows: 13, keys },
  )
  assert.ok(lines.length <= 13, lines.join('\n'))
  assert.ok(
    lines.every((line) => line.length <= 30),
    lines.join('\n'),
  )
  assert.ok(visible >= 3 && rowsIn(lines).length === visible, lines.join('\n'))
  assert.match(lines.join(' '), new RegExp(`above: ${top} below: ${40 - top - visible}, 2 with problems$`))
})

test('a problem that is too long is shortened in the middle', () => {
  const { rows } = titles(80, ['upstream main: imap.example.org port 143: timed-out'])
  assert.match(rows, /upstream main.*….*: timed-out/)
})

test('a silent edge is shown with the time since it was last heard', () => {
  const silent: LiveEdge = {
    ...edge('eu-1', []),
    state: 'silent',
    loginP50Ms: 30_800,
    problems: [{ kind: 'silent', severity: 'bad', text: 'no heartbeat since a while' }],
  }
  assert.match(screen(80, [silent]).join('\n'), /silent .* last heartbeat 2 d 1 h ago$/)
  assert.match(screen(200, [silent]).join('\n'), / 30\.8 s /)
})

test('the last figures of a silent or incompatible edge are in no total, and are not shown as current', () => {
  const gone = (['silent', 'incompatible'] as const).map((state) => ({ ...edge(state, []), state }))
  const lines = screen(200, [{ ...edge('eu-1', []), active: 3, cached: 7 }, ...gone])
  assert.match(
    lines.join('\n'),
    /1 of 3 edges +1234 sessions\/s +reuse 98\.7 % +3 active +7 cached +12\.3 errors/,
  )
  for (const state of ['silent', 'incompatible'])
    assert.match(lines.find((line) => line.startsWith(state)) ?? '', / - +- /)
})

test('totals are complete at any width', () => {
  for (const width of [40, 80, 100, 200, undefined]) {
    const lines = screen(width, [edge('eu-1', [])])
    const head = lines.slice(
      0,
      lines.findIndex((line) => line.startsWith('EDGE')),
    )
    for (const line of head) assert.ok(width === undefined || line.length <= width, line)
    assert.match(head.join('\n'), /12\.3 errors\/s/)
  }
})

test('nothing is hidden if there is room, or without a terminal', () => {
  assert.deepEqual(titles(200, ['upstream main: connection refused']).title, all)
  assert.deepEqual(titles(undefined, ['upstream main: connection refused']).title, all)
})

test('the sort column is not hidden', () => {
  const { title } = titles(80, ['upstream main: connection refused'], 'cached')
  assert.ok(title.includes('CACHED▾') && !title.includes('ACTIVE'), title.join(' '))
})

const fleet = (count: number, bad: readonly number[] = []) =>
  Array.from({ length: count }, (_, index) => {
    const id = `eu-${String(index + 1).padStart(2, '0')}`
    return edge(id, bad.includes(index + 1) ? ['upstream main is down'] : [])
  })
const rowsIn = (lines: readonly string[]) => lines.flatMap((line) => /^eu-\d\d\b/.exec(line)?.[0] ?? [])

test('edges with problems come first, the bad ones before warnings', () => {
  const edges = fleet(5, [3])
  edges[4]!.problems = [{ kind: 'reported', severity: 'warning', text: 'clock' }]
  const lines = screen(100, edges, 'problems')
  assert.deepEqual(rowsIn(lines), ['eu-03', 'eu-05', 'eu-01', 'eu-02', 'eu-04'])
  assert.ok(lines.some((line) => line.endsWith(' WRONG▾')))
})

test('40 edges at 80x24: the number of hidden edges is shown, and how many of them have problems', () => {
  const drawn = draw(80, fleet(40, [39, 40]), {}, 23)
  assert.equal(drawn.lines.length, 23)
  assert.equal(rowsIn(drawn.lines).length, drawn.visible)
  assert.equal(
    drawn.lines.at(-1),
    `1 to ${drawn.visible} of 40 edges; below: ${40 - drawn.visible}, 2 with problems`,
  )
  const scrolled = draw(80, fleet(40, [1]), { top: 5 }, 23)
  assert.equal(rowsIn(scrolled.lines)[0], 'eu-06')
  assert.match(scrolled.lines.at(-1) ?? '', /^6 to \d+ of 40 edges; above: 5, 1 with problems; below: \d+$/)
  const end = draw(80, fleet(40), { top: 1000 }, 23)
  assert.equal(rowsIn(end.lines).at(-1), 'eu-40')
  assert.equal(end.top, 40 - end.visible)
  assert.deepEqual(rowsIn(draw(80, fleet(3), {}, 23).lines).length, 3)
  assert.doesNotMatch(draw(80, fleet(3), {}, 23).lines.join('\n'), /of 3 edges;/)
})

test('a filter shows how many edges it hides, and a filter without a match says so', () => {
  const edges = fleet(12, [1, 2])
  const drawn = draw(80, edges, { filter: 'EU-1' }, 23)
  assert.deepEqual(rowsIn(drawn.lines), ['eu-10', 'eu-11', 'eu-12'])
  assert.equal(drawn.lines.at(-1), '/EU-1 (Esc: all); 1 to 3 of 3 edges; filtered out: 9, 2 with problems')
  const typing = draw(80, edges, { filter: 'zz', isTyping: true }, 23).lines
  assert.match(typing.join('\n'), /no edge matches/)
  assert.match(typing.at(-1) ?? '', /^\/zz_; no edges; filtered out: 12/)
  assert.match(draw(80, edges, { filter: 'main down' }, 23).lines.join('\n'), /eu-01/)
})

test('the help is complete on a narrow terminal', () => {
  for (const width of [40, 60, 80]) {
    const lines = helpFor(width)
    assert.ok(
      lines.every((line) => line.length <= width),
      lines.join('\n'),
    )
    const words = (text: readonly string[]) => text.join(' ').split(/\s+/).join(' ')
    assert.equal(words(lines), words(helpLines))
  }
  const narrow = helpFor(60, 23)
  assert.ok(narrow.length <= 23 && narrow.at(-1) === helpLines.at(-1), narrow.join('\n'))
  assert.ok(narrow.includes(`${' '.repeat(23)}problem; Esc clears it`), narrow.join('\n'))
  assert.deepEqual(helpFor(80), helpLines)
  assert.deepEqual(helpFor(undefined), helpLines)
})

test('the screen is never higher than the terminal, and the help fits into 80x24', () => {
  for (const rows of [1, 5, 10, 23, 60])
    for (const count of [0, 1, 40]) {
      const { lines } = draw(80, fleet(count), { top: 3 }, rows)
      assert.ok(lines.length <= Math.max(rows, 7), `${rows} ${count}: ${lines.length}`)
    }
  assert.ok(helpLines.length <= 23 && helpLines.every((line) => line.length <= 80))
  for (const { key } of Object.values(sortings))
    assert.ok(helpLines.some((line) => line.startsWith(`  ${key}  `)))
})
