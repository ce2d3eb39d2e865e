/**
 * The terminal screen of the whole fleet: totals, one row for each edge, sorted as requested, and what is not on the
 * screen.
 */
import { isHeard, safe, type LiveEdge } from '@imapfleet/api'
import type { LiveView } from '../live-fleet.ts'
import type { Style } from './colour.ts'
import { isMatching, sorted, type ScreenChoice, type Sorting } from './fleet-choice.ts'
import { formatCount, share } from './number.ts'
import { edgeColumn } from './edge-column.ts'
import { table, tableWidth, wrapped, type Column, type TableLayout } from './table.ts'
import { problemsText } from './problems.ts'
import { ago, clock } from './time.ts'

export interface FleetPicture {
  lines: readonly string[]
  /** Index of the first edge shown, and how many fit. */
  top: number
  visible: number
}

/**
 * `rows`: the height of the terminal; undefined: everything is printed. `keys`: a line about the keys that can be pressed.
 */
export function fleetScreen(
  view: LiveView,
  choice: ScreenChoice,
  page: TableLayout,
  now: number,
  { rows, keys }: { rows?: number; keys?: readonly string[] } = {},
): FleetPicture {
  const inRegion = view.edges.filter(({ region }) => choice.region === undefined || region === choice.region)
  const edges = sorted(
    inRegion.filter((edge) => isMatching(edge, choice.filter)),
    choice.sorting,
  )
  const stale =
    view.stale === undefined
      ? []
      : [page.paint('red', `out of date since ${clock(view.at)} (${ago(view.at, now)}): ${safe(view.stale)}`)]
  const [titles = '', ...lines] = table(fitting(columnsBy(choice.sorting, now), edges, page), edges, page)
  const above = [...stale, ...wrapped(totals(inRegion, choice, page), '   ', page.width)]
  const keyLines = keys ? wrapped(keys, '  ', page.width).map((line) => page.paint('dim', line)) : ['']
  // On a small terminal edges come first; `?` shows the keys.
  const hasKeys = rows === undefined || rows - above.length - keyLines.length - 2 >= edgesMin
  const head = [...above, ...(hasKeys ? keyLines : []), ...(edges.length === 0 ? [] : [titles])]
  const empty =
    edges.length > 0 ? [] : [inRegion.length === 0 ? 'there are no edges here' : 'no edge matches']
  if (rows === undefined) return { lines: [...head, ...lines, ...empty], top: 0, visible: lines.length }
  const needsFoot = choice.filter !== '' || choice.isTyping || head.length + lines.length > rows
  const filtered = inRegion.filter((edge) => !edges.includes(edge))
  const placed = (footHeight: number) => {
    const visible = Math.max(1, rows - head.length - footHeight)
    const top = Math.max(0, Math.min(choice.top, edges.length - visible))
    const [before, after] = [edges.slice(0, top), edges.slice(top + visible)]
    const parts = footParts({ above: before, below: after, filtered, total: edges.length, choice })
    return { visible, top, foot: needsFoot ? wrapped(parts, '; ', page.width) : [] }
  }
  // A foot of several lines leaves less room for edges, which can make it longer.
  let { visible, top, foot } = placed(needsFoot ? 1 : 0)
  for (let height = 2; foot.length >= height; height++) ({ visible, top, foot } = placed(height))
  const shown = lines.slice(top, top + visible)
  const blank = needsFoot
    ? Array.from({ length: Math.max(0, visible - shown.length - empty.length) }, () => '')
    : []
  const all = [...head, ...shown, ...empty, ...blank, ...foot.map((line) => page.paint('bold', line))]
  return { lines: all, top, visible }
}

/** Fewer are not enough to see whether something is wrong. */
const edgesMin = 5

interface Hidden {
  above: readonly LiveEdge[]
  below: readonly LiveEdge[]
  filtered: readonly LiveEdge[]
  total: number
  choice: ScreenChoice
}

/** `4 to 20 of 40 edges; above: 3; below: 20, 2 with problems`. The filter comes first, because it is typed there. */
function footParts({ above, below, filtered, total, choice }: Hidden): string[] {
  const hidden = (name: string, edges: readonly LiveEdge[]) => {
    const bad = edges.filter(({ problems }) => problems.length > 0).length
    if (edges.length === 0) return []
    return [`${name} ${edges.length}${bad === 0 ? '' : `, ${bad} with problems`}`]
  }
  const range = total === 0 ? 'no edges' : `${above.length + 1} to ${total - below.length} of ${total} edges`
  const filter = choice.isTyping
    ? [`/${safe(choice.filter)}_`]
    : choice.filter === ''
      ? []
      : [`/${safe(choice.filter)} (Esc: all)`]
  return [
    ...filter,
    range,
    ...hidden('above:', above),
    ...hidden('below:', below),
    ...hidden('filtered out:', filtered),
  ]
}

/**
 * The help, no wider than the terminal: what a key does continues below its beginning. On a low terminal it has no
 * empty lines.
 */
export function helpFor(width: number | undefined, rows: number = Infinity): string[] {
  const lines = helpLines.flatMap((line) => {
    const [, key = '', words = ''] = /^( {2}.* {2,})(\S.*)$/.exec(line) ?? []
    const room = width === undefined ? undefined : Math.max(1, width - key.length)
    return wrapped(key === '' ? [line] : words.split(' '), ' ', room).map(
      (part, at) => (at === 0 ? key : ' '.repeat(key.length)) + part,
    )
  })
  return lines.length <= rows ? lines : lines.filter((line) => line !== '')
}

export const helpLines: readonly string[] = [
  'Keys',
  '',
  '  up, down, j, k       scroll by one edge',
  '  PgUp, PgDn, space    scroll by one screen',
  '  Home, End            first, last edge',
  '  /                    filter by id, region, state or problem; Esc clears it',
  '  g                    next region',
  '  q, Ctrl-C            quit',
  '',
  'Sort by',
  '',
  '  p  problems          edges with problems first',
  '  n  name              region and id',
  '  s  sessions          SESS/S: sessions that ended, per second',
  '  r  reuse             REUSE: share of logins served by an idle connection',
  '  a  active            ACTIVE: server connections in use',
  '  c  cached            CACHED: idle server connections',
  '  e  errors            ERR/S: failed logins per second, no wrong passwords',
  '  l  login             LOGIN: median time of a login',
  '',
  'Any key closes this help.',
]

function totals(edges: readonly LiveEdge[], { region }: ScreenChoice, page: TableLayout): string[] {
  // What an edge did before it became silent is not what the fleet does now.
  const heard = edges.filter(isHeard)
  const sum = (value: (edge: LiveEdge) => number | null) =>
    heard.reduce((all, edge) => all + (value(edge) ?? 0), 0)
  const logins = sum((edge) => edge.loginsPerSecond)
  // Weighted by the logins of each edge.
  const reused = sum((edge) => (edge.reuseRatio ?? 0) * (edge.loginsPerSecond ?? 0))
  return [
    page.paint(
      'bold',
      `${region === undefined ? 'fleet' : safe(region)}: ${heard.length} of ${edges.length} edges`,
    ),
    `${rate(sum((edge) => edge.sessionsPerSecond))} sessions/s`,
    `reuse ${share(reused, logins)}`,
    `${formatCount(sum((edge) => edge.active))} active`,
    `${formatCount(sum((edge) => edge.cached))} cached`,
    `${rate(sum((edge) => edge.errorsPerSecond))} errors/s`,
  ]
}

/** More than one decimal place cannot be read within a second. */
const rate = (value: number | null) => (value === null ? '-' : value.toFixed(value < 100 ? 1 : 0))

/** Columns to hide on a narrow terminal, one after the other, until the column WRONG is readable. */
const dispensable = ['REVISION', 'CACHED', 'ACTIVE', 'LOGIN', 'REGION']
const wrongWidthMin = 40
/** These only if nothing of it could be read otherwise. */
const figures = ['REUSE', 'SESS/S', 'ERR/S']
const wrongWidthLeast = 24

function fitting(
  columns: readonly Column<LiveEdge>[],
  edges: readonly LiveEdge[],
  { width }: TableLayout,
): Column<LiveEdge>[] {
  const [wrong, ...others] = columns.toReversed() as [Column<LiveEdge>, ...Column<LiveEdge>[]]
  const wrongWidth = tableWidth([wrong], edges)
  const isTooWide = (wanted: number) => {
    const title = ' '.repeat(Math.min(wrongWidth, wanted))
    return width !== undefined && tableWidth([...others, { title, cell: () => '' }], edges) > width
  }
  // The column of the sorting is marked, and never hidden.
  const hide = (titles: readonly string[], wanted: number) => {
    for (const title of titles) {
      if (!isTooWide(wanted)) break
      const at = others.findIndex((column) => column.title === title)
      if (at >= 0) others.splice(at, 1)
    }
  }
  hide(dispensable, wrongWidthMin)
  hide(figures, wrongWidthLeast)
  return [...others.toReversed(), wrong]
}

function columnsBy(sorting: Sorting, now: number): Column<LiveEdge>[] {
  const number = (
    name: Sorting | undefined,
    title: string,
    cell: (edge: LiveEdge) => string,
  ): Column<LiveEdge> => ({
    title: name === sorting ? `${title}▾` : title,
    cell,
    align: 'right',
  })
  return [
    edgeColumn('EDGE', ({ id }) => id),
    { title: 'REGION', cell: ({ region }) => region },
    { title: 'STATE', cell: ({ state }) => state, style: ({ state }) => stateStyle[state] },
    number('sessions', 'SESS/S', (edge) => rate(edge.sessionsPerSecond)),
    number('reuse', 'REUSE', (edge) => share(edge.reuseRatio, edge.reuseRatio === null ? null : 1)),
    number('active', 'ACTIVE', (edge) => present(edge, edge.active)),
    number('cached', 'CACHED', (edge) => present(edge, edge.cached)),
    number('errors', 'ERR/S', (edge) => rate(edge.errorsPerSecond)),
    number('login', 'LOGIN', (edge) => (edge.loginP50Ms === null ? '-' : loginTime(edge.loginP50Ms))),
    number(undefined, 'REVISION', ({ config }) =>
      config.applied === config.wanted ? String(config.applied) : `${config.applied}→${config.wanted}`,
    ),
    {
      title: sorting === 'problems' ? 'WRONG▾' : 'WRONG',
      cell: (edge) => problemsText(edge, now).join('; '),
      cut: 'middle',
      style: () => 'yellow',
    },
  ]
}

const present = (edge: LiveEdge, count: number) => (isHeard(edge) ? formatCount(count) : '-')

const loginTime = (ms: number) =>
  ms < 999.5 ? `${ms.toPrecision(3)} ms` : `${(ms / 1000).toFixed(ms < 100_000 ? 1 : 0)} s`

const stateStyle: Record<LiveEdge['state'], Style> = {
  serving: 'green',
  draining: 'yellow',
  stopping: 'yellow',
  silent: 'red',
  incompatible: 'red',
}
