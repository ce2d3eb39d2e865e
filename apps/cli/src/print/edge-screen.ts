/**
 * The terminal screen of one edge: every number of pimpstat (now, peak, total, reuse ratio, SELECT cache, start and
 * reset time), and rates since the last look.
 */
import type { EdgeStats, MetricName } from '@imapfleet/protocol'
import { byLabel, percentileOf, sumOf } from '../series.ts'
import { bytes, count, seconds, share } from './number.ts'
import { safe } from './safe.ts'
import { table, type Column, type Page } from './table.ts'
import { dayAndClock, duration } from './time.ts'

interface Gauge {
  label: string
  now: number
  peak: number | undefined
}

interface Total {
  label: string
  total: string
  rate: string
}

const gaugeColumns: Column<Gauge>[] = [
  { title: 'NOW', cell: (row) => row.label },
  { title: 'CURRENT', cell: (row) => count(row.now).padStart(10), align: 'right' },
  { title: 'PEAK', cell: (row) => count(row.peak).padStart(10), align: 'right' },
]
const totalColumns: Column<Total>[] = [
  { title: 'COUNTED', cell: (row) => row.label },
  { title: 'TOTAL', cell: (row) => row.total.padStart(10), align: 'right' },
  { title: 'A SECOND', cell: (row) => row.rate.padStart(10), align: 'right' },
]

/** `before` is the look before this one, for the rates. */
export function edgeScreen(stats: EdgeStats, before: EdgeStats | undefined, page: Page): string[] {
  const name = page.paint('bold', `${safe(stats.edge)} (${safe(stats.region)})`)
  const state = page.paint(stats.state === 'serving' ? 'green' : 'yellow', stats.state)
  return [
    `${name}  imapfleet-edge ${safe(stats.version)}  ${state}`,
    `started ${dayAndClock(stats.startedAt)} (${duration(stats.at - stats.startedAt)} ago), ` +
      (stats.resetAt === null ? 'counters never reset' : `counters reset ${dayAndClock(stats.resetAt)}`),
    ...stats.degraded.map((reason) => page.paint('red', `degraded: ${safe(reason)}`)),
    '',
    ...table(gaugeColumns, gauges(stats), page),
    '',
    ...table(totalColumns, totals(stats, before), page),
    '',
    ...timings(stats),
    ...refusals(stats),
  ]
}

const gaugeRows: readonly (readonly [MetricName, string])[] = [
  ['clients_connected', 'Clients'],
  ['upstreams_leased', 'Upstreams active'],
  ['upstreams_idle', 'Upstreams cached'],
  ['upstreams_resetting', 'Upstreams resetting'],
  ['upstreams_dialing', 'Upstreams dialing'],
  ['leases_waiting', 'Logins waiting'],
]

const gauges = ({ gauges: now, peaks }: EdgeStats): Gauge[] =>
  gaugeRows.map(([metric, label]) => ({ label, now: sumOf(now, metric), peak: peaks[metric] }))

/** One figure of an edge's counters. */
type Figure = (counters: EdgeStats['counters']) => number

function totals(stats: EdgeStats, before: EdgeStats | undefined): Total[] {
  const rateOf = (pick: Figure, print: (value: number) => string) => {
    const passed = before === undefined ? 0 : (stats.at - before.at) / 1000
    // After a restart or a reset the counters begin again: the first look has no rate.
    const begun = before?.startedAt === stats.startedAt && before.resetAt === stats.resetAt
    if (before === undefined || !begun || passed <= 0) return '-'
    return print((pick(stats.counters) - pick(before.counters)) / passed)
  }
  const row = (label: string, pick: Figure, print: (value: number) => string = count): Total => ({
    label,
    total: print(pick(stats.counters)),
    rate: rateOf(pick, print),
  })

  const { counters } = stats
  const logins = sumOf(counters, 'logins_total', { result: 'ok' })
  const reused = sumOf(counters, 'upstream_reuses_total')
  const hits = sumOf(counters, 'select_cache_hits_total')
  const misses = sumOf(counters, 'select_cache_misses_total')
  return [
    row('Client connections', (all) => sumOf(all, 'client_connections_total')),
    row('Logins', (all) => sumOf(all, 'logins_total', { result: 'ok' })),
    row(
      'Logins refused or failed',
      (all) => sumOf(all, 'logins_total') - sumOf(all, 'logins_total', { result: 'ok' }),
    ),
    row('Upstreams reused', (all) => sumOf(all, 'upstream_reuses_total')),
    row('Upstreams opened', (all) => sumOf(all, 'upstream_connections_total')),
    { label: 'Reuse ratio', total: share(reused, logins), rate: '' },
    row('SELECT cache hits', (all) => sumOf(all, 'select_cache_hits_total')),
    row('SELECT cache misses', (all) => sumOf(all, 'select_cache_misses_total')),
    { label: 'SELECT cache ratio', total: share(hits, hits + misses), rate: '' },
    row('Round trips saved', (all) => sumOf(all, 'round_trips_saved_total')),
    row('From clients', (all) => sumOf(all, 'client_bytes_total'), bytes),
    row('From upstreams', (all) => sumOf(all, 'upstream_bytes_total'), bytes),
  ]
}

function timings({ histograms }: EdgeStats): string[] {
  const at = (metric: MetricName) =>
    [0.5, 0.99].map((part) => seconds(percentileOf(histograms, metric, part))).join(' / ')
  return [`p50 / p99   login ${at('login_seconds')}   upstream dial ${at('upstream_dial_seconds')}`]
}

/** Why connections were not kept: the first thing to look at when the reuse ratio is low. */
function refusals({ counters }: EdgeStats): string[] {
  const reasons = byLabel(counters, 'reuse_refused_total', 'reason')
  if (reasons.length === 0) return []
  return [`not reused  ${reasons.map(([reason, times]) => `${safe(reason)} ${count(times)}`).join(', ')}`]
}
