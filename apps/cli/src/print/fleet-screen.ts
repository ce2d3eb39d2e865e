/** The terminal screen of the whole fleet: totals, and one row for each edge, sorted as requested. */
import { isHeard, type LiveEdge } from '@imapfleet/api'
import type { LiveView } from '../live-fleet.ts'
import type { Style } from './colour.ts'
import { formatCount, share } from './number.ts'
import { safe } from './safe.ts'
import { table, tableWidth, wrapped, type Column, type TableLayout } from './table.ts'
import { problemsText } from './problems.ts'
import { ago, clock } from './time.ts'

/** Columns to sort by, and their keys. */
export const sortings = {
  edge: { key: 'n', value: undefined },
  sessions: { key: 's', value: (edge) => edge.sessionsPerSecond },
  reuse: { key: 'r', value: (edge) => edge.reuseRatio },
  active: { key: 'a', value: (edge) => edge.active },
  cached: { key: 'c', value: (edge) => edge.cached },
  errors: { key: 'e', value: (edge) => edge.errorsPerSecond },
  login: { key: 'l', value: (edge) => edge.loginP50Ms },
} satisfies Record<string, { key: string; value: ((edge: LiveEdge) => number | null) | undefined }>
export type Sorting = keyof typeof sortings

export interface ScreenChoice {
  sorting: Sorting
  /** Undefined: all regions. */
  region: string | undefined
}

/** `keys`: the keys that can be pressed, on a terminal. */
export function fleetScreen(
  view: LiveView,
  choice: ScreenChoice,
  page: TableLayout,
  now: number,
  keys: readonly string[] = [],
): string[] {
  const edges = sorted(
    view.edges.filter(({ region }) => choice.region === undefined || region === choice.region),
    choice.sorting,
  )
  const stale =
    view.stale === undefined
      ? []
      : [page.paint('red', `out of date since ${clock(view.at)} (${ago(view.at, now)}): ${safe(view.stale)}`)]
  return [
    ...stale,
    ...wrapped(totals(edges, choice, page), '   ', page.width),
    // Above the table, because a large table is cut off at its end.
    ...(keys.length === 0 ? [''] : wrapped(keys, '  ', page.width).map((line) => page.paint('dim', line))),
    ...table(fitting(columnsBy(choice.sorting, now), edges, page), edges, page),
    ...(edges.length === 0 ? ['there are no edges here'] : []),
  ]
}

const sortKeys = Object.entries(sortings).map(([name, { key }]) => `${key} ${name}`)
export const keys: readonly string[] = [
  'q quit',
  'g next region',
  `sort: ${sortKeys[0]}`,
  ...sortKeys.slice(1),
]

/** Highest first, edges without a value last. `edge` sorts by region and id. */
export function sorted(edges: readonly LiveEdge[], sorting: Sorting): LiveEdge[] {
  const { value } = sortings[sorting]
  const byName = (a: LiveEdge, b: LiveEdge) => compare(a.region, b.region) || compare(a.id, b.id)
  if (!value) return edges.toSorted(byName)
  return edges.toSorted((a, b) => (value(b) ?? -Infinity) - (value(a) ?? -Infinity) || byName(a, b))
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

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

function fitting(
  columns: readonly Column<LiveEdge>[],
  edges: readonly LiveEdge[],
  { width }: TableLayout,
): Column<LiveEdge>[] {
  const [wrong, ...others] = columns.toReversed() as [Column<LiveEdge>, ...Column<LiveEdge>[]]
  const wanted = Math.min(tableWidth([wrong], edges), wrongWidthMin)
  const isTooWide = (kept: readonly Column<LiveEdge>[]) =>
    width !== undefined && tableWidth([...kept, { title: ' '.repeat(wanted), cell: () => '' }], edges) > width
  // The column of the sorting is marked, and never hidden.
  for (const title of dispensable) {
    if (!isTooWide(others)) break
    const at = others.findIndex((column) => column.title === title)
    if (at >= 0) others.splice(at, 1)
  }
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
    { title: 'EDGE', cell: ({ id }) => id },
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
      title: 'WRONG',
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
