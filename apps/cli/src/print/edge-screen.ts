/**
 * The terminal screen of one edge: the figures of pimpstat (present, peak, total, reuse ratio, SELECT cache, start
 * and reset time), and rates since the last query.
 */
import { safe } from '@imapfleet/api'
import { seriesOf, percentile, type EdgeMetricName, type Histogram } from '@imapfleet/observe'
import type { EdgeStats } from '@imapfleet/protocol'
import { bytes, formatCount, seconds, share } from './number.ts'
import { table, type Column, type TableLayout } from './table.ts'
import { dayAndClock, duration } from './time.ts'

/** The statistics, and when they were requested, by this machine's clock. */
export interface StatsReading {
  stats: EdgeStats
  at: number
}

interface Row {
  label: string
  now?: string
  peak?: string
  total?: string
  rate?: string
}

const numberColumn = (title: string, cell: (row: Row) => string | undefined): Column<Row> => ({
  title: title.padStart(9),
  cell: (row) => cell(row) ?? '',
  align: 'right',
})

const columns: Column<Row>[] = [
  { title: '', cell: (row) => row.label },
  numberColumn('NOW', (row) => row.now),
  numberColumn('PEAK', (row) => row.peak),
  numberColumn('TOTAL', (row) => row.total),
  numberColumn('PER SECOND', (row) => row.rate),
]

/** `before`: the previous query, for the rates. */
export function edgeScreen(
  look: StatsReading,
  before: StatsReading | undefined,
  page: TableLayout,
): string[] {
  const { stats } = look
  const name = page.paint('bold', `${safe(stats.edge)} (${safe(stats.region)})`)
  const state = page.paint(stats.state === 'serving' ? 'green' : 'yellow', stats.state)
  return [
    `${name}  imapfleet-edge ${safe(stats.version)}  ${state}`,
    times(look),
    ...(stats.fleet?.connected === false
      ? [page.paint('yellow', `not connected to the fleet: ${safe(stats.fleet.reason ?? '')}`)]
      : []),
    ...unhealthy(stats).map((upstream) => page.paint('red', `upstream ${safe(upstream)} is down`)),
    '',
    ...table(columns, rows(look, before), page),
    '',
    ...timings(stats),
    ...reasons(stats),
  ]
}

function times({ stats: { statistics }, at }: StatsReading): string {
  const { startedAt, resetAt } = statistics
  const started = `started ${dayAndClock(startedAt)} (${duration(at - Date.parse(startedAt))} ago)`
  return resetAt === startedAt ? started : `${started}, counted since ${dayAndClock(resetAt)}`
}

function rows(look: StatsReading, before: StatsReading | undefined): Row[] {
  const { statistics, counters, gauges } = look.stats
  const { clients, active, cached, logins, selectCache } = statistics
  const rate = rates(look, before)
  const level = ({ current, peak }: { current: number; peak: number }) => ({
    now: formatCount(current),
    peak: formatCount(peak),
  })
  const gauge = (label: string, metric: EdgeMetricName): Row => ({
    label,
    now: formatCount(sumOf(gauges, metric)),
  })
  const logged = (result: string): Row => ({
    label: `Logins ${result}, since start`,
    total: formatCount(sumOf(counters, 'logins_total', { result })),
    rate: rate((all) => sumOf(all, 'logins_total', { result })),
  })
  const reused = (all: Series) => sumOf(all, 'upstream_reuses_total')
  const opened = (all: Series) => sumOf(all, 'upstream_connections_total')
  return [
    {
      label: 'Clients',
      ...level(clients),
      total: formatCount(clients.total),
      rate: rate((all) => sumOf(all, 'client_connections_total')),
    },
    { label: 'Upstreams active', ...level(active) },
    { label: 'Upstreams cached', ...level(cached) },
    gauge('Upstreams resetting', 'upstreams_resetting'),
    gauge('Upstreams dialing', 'upstreams_dialing'),
    gauge('Upstreams ahead', 'upstreams_ahead'),
    gauge('Logins waiting', 'leases_waiting'),
    { label: 'Logins', total: formatCount(logins.total), rate: rate((all) => reused(all) + opened(all)) },
    { label: '  reused', total: formatCount(logins.reused), rate: rate(reused) },
    { label: '  opened', total: formatCount(logins.opened), rate: rate(opened) },
    { label: '  reuse ratio', total: share(logins.reuseRatio, 1) },
    { label: 'SELECT cache hits', total: formatCount(selectCache.hits) },
    { label: 'SELECT cache misses', total: formatCount(selectCache.misses) },
    { label: 'SELECT cache ratio', total: share(selectCache.hitRatio, 1) },
    logged('refused'),
    logged('failed'),
    traffic('Round trips saved, since start', 'round_trips_saved_total', formatCount),
    ...aheadRows(),
    traffic('From clients, since start', 'client_bytes_total', bytes),
    traffic('From upstreams, since start', 'upstream_bytes_total', bytes),
  ]

  /** Only for edges that ask ahead. */
  function aheadRows(): Row[] {
    if (sumOf(counters, 'ahead_asked_total') === 0) return []
    return [
      traffic('Asked ahead, since start', 'ahead_asked_total', formatCount),
      traffic('  used', 'ahead_used_total', formatCount),
      traffic('  dropped', 'ahead_dropped_total', formatCount),
      traffic('  bytes dropped', 'ahead_dropped_bytes_total', bytes),
    ]
  }

  function traffic(label: string, metric: EdgeMetricName, print: (value: number) => string): Row {
    return { label, total: print(sumOf(counters, metric)), rate: rate((all) => sumOf(all, metric), print) }
  }
}

type Series = Readonly<Record<string, number>>

/** Growth per second. Missing for the first query, and for the first after a restart. */
function rates(look: StatsReading, before: StatsReading | undefined) {
  const passed = before === undefined ? 0 : (look.at - before.at) / 1000
  const sameStart = before?.stats.statistics.startedAt === look.stats.statistics.startedAt
  return (figure: (counters: Series) => number, print: (value: number) => string = formatCount): string =>
    before === undefined || !sameStart || passed <= 0
      ? '-'
      : print((figure(look.stats.counters) - figure(before.stats.counters)) / passed)
}

const unhealthy = ({ gauges }: EdgeStats): string[] =>
  byLabel(gauges, 'upstream_healthy', 'upstream')
    .filter(([, healthy]) => healthy === 0)
    .map(([upstream]) => upstream)

function timings({ histograms }: EdgeStats): string[] {
  const at = (metric: EdgeMetricName) =>
    [0.5, 0.99].map((part) => seconds(percentileOf(histograms, metric, part))).join(' / ')
  return [`p50 / p99   login ${at('login_seconds')}   upstream dial ${at('upstream_dial_seconds')}`]
}

/** Why connections were not kept: the first thing to check if the reuse ratio is low. */
function reasons({ counters }: EdgeStats): string[] {
  const refused = byLabel(counters, 'reuse_refused_total', 'reason').filter(([, number]) => number > 0)
  if (refused.length === 0) return []
  return [
    `not reused  ${refused.map(([reason, number]) => `${safe(reason)} ${formatCount(number)}`).join(', ')}`,
  ]
}

/** The sum of all series of this metric whose labels include `labels`; 0 if there are none. */
export function sumOf(
  series: Series,
  name: EdgeMetricName,
  labels: Readonly<Record<string, string>> = {},
): number {
  const wanted = Object.entries(labels)
  return seriesOf(series, name)
    .filter(({ labels: own }) => wanted.every(([label, text]) => own[label] === text))
    .reduce((sum, { value }) => sum + value, 0)
}

/** The sum for each value of one label, highest first. */
export function byLabel(series: Series, name: EdgeMetricName, label: string): [string, number][] {
  const sums = new Map<string, number>()
  for (const { labels, value } of seriesOf(series, name)) {
    const text = labels[label]
    if (text !== undefined) sums.set(text, (sums.get(text) ?? 0) + value)
  }
  return [...sums].sort(([, one], [, other]) => other - one)
}

/** Seconds; null without any measurement. */
export function percentileOf(
  histograms: Readonly<Record<string, Histogram>>,
  name: EdgeMetricName,
  rank: number,
): number | null {
  const histogram = histograms[name]
  return histogram === undefined ? null : percentile(histogram.counts, rank)
}
