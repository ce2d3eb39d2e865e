/** The charts of the overview and of an edge, from one history: traffic, reuse, latency, errors and connections. */
import type { History } from '@imapfleet/api'
import { amountOf, shortCountOf, countOf, none, rateOf, shareOf } from '../format/number.ts'
import { formatValue, type Unit } from '../format/value.ts'
import type { ChartLine } from '../ui/chart-series.ts'
import { currentOf, ratioOf, sumByStep, totalOf, type StepValues } from './traffic.ts'

export const fleetChartMetrics = [
  'sessions_total:rate',
  'logins_total{result="ok"}',
  'upstream_reuses_total',
  'round_trips_saved_total:rate',
  'login_seconds:p95',
  'logins_total{result="failed"}:rate',
  'logins_total{result="refused"}:rate',
  'clients_connected',
  'upstreams_leased',
  'upstreams_idle',
  'clients_limit',
  'upstream_connections_limit',
] as const
type ChartMetric = (typeof fleetChartMetrics)[number]

interface FleetChart {
  title: string
  /** The current value, or the value of the whole time range. */
  value: string
  remark: string
  unit: Unit
  max?: number
  lines: ChartLine[]
}

interface ChartTimes {
  /** Milliseconds since 1970, the start of each step. Steps without any report are included. */
  times: number[]
  /** Milliseconds since 1970, when the last step ends, or the history. */
  endMs: number
  /** The last step is not over. */
  isUnfinished: boolean
}

export function chartTimesOf({ from, to, stepSeconds }: History): ChartTimes {
  const [startMs, endMs, stepMs] = [Date.parse(from), Date.parse(to), stepSeconds * 1000]
  const steps = Math.ceil((endMs - startMs) / stepMs)
  return {
    times: Array.from({ length: steps }, (_, step) => startMs + step * stepMs),
    endMs,
    isUnfinished: (endMs - startMs) % stepMs !== 0,
  }
}

/** More lines of regions than this are unreadable: the chart then has their sum. */
const regionsMax = 8
/** A limit that is far away would flatten the lines. */
const limitShownFrom = 0.3

export function fleetChartsOf(history: History): FleetChart[] {
  const { isUnfinished } = chartTimesOf(history)
  const named = history.groups.map(({ group, values, totals }) => ({
    group,
    of: (metric: ChartMetric): StepValues => values[fleetChartMetrics.indexOf(metric)] ?? [],
    total: (metric: ChartMetric) => totals[fleetChartMetrics.indexOf(metric)] ?? null,
  }))
  const isApart = named.length > 1 && named.length <= regionsMax
  const sum = (metric: ChartMetric) => sumByStep(named.map(({ of }) => of(metric)))
  const totals = (metric: ChartMetric) => totalOf(named.map(({ total }) => total(metric)))
  /** The last finished step. */
  const now = (values: StepValues) =>
    currentOf(isUnfinished && values.length > 1 ? values.slice(0, -1) : values)
  const line = (name: string, colour: number, values: StepValues): ChartLine => ({ name, colour, values })
  const apart = (name: string, of: (group: (typeof named)[number]) => StepValues, whole: StepValues) =>
    isApart ? named.map((each, index) => line(each.group, index, of(each))) : [line(name, 0, whole)]

  const sessions = sum('sessions_total:rate')
  const [logins, reuses] = [sum('logins_total{result="ok"}'), sum('upstream_reuses_total')]
  const saved = sum('round_trips_saved_total:rate')
  const slowest = slowestOf(named.map(({ group, total }) => ({ group, p95: total('login_seconds:p95') })))
  const failed = sum('logins_total{result="failed"}:rate')
  const refused = sum('logins_total{result="refused"}:rate')
  const [allLogins, allReuses] = [totals('logins_total{result="ok"}'), totals('upstream_reuses_total')]
  return [
    {
      title: 'Sessions per second',
      value: rateOf(now(sessions)),
      remark: amountOf(allLogins, 'login'),
      unit: 'number',
      lines: apart('Sessions per second', ({ of }) => of('sessions_total:rate'), sessions),
    },
    {
      title: 'Reuse ratio',
      value: shareOf(allReuses, allLogins),
      remark: `${amountOf(allReuses, 'login')} avoided`,
      unit: 'percent',
      max: 100,
      lines: apart(
        'Reuse ratio',
        ({ of }) => ratioOf({ logins: of('logins_total{result="ok"}'), reuses: of('upstream_reuses_total') }),
        ratioOf({ logins, reuses }),
      ),
    },
    {
      title: 'Round trips saved per second',
      value: rateOf(now(saved)),
      remark: 'that clients did not wait for',
      unit: 'number',
      lines: apart('Round trips saved', ({ of }) => of('round_trips_saved_total:rate'), saved),
    },
    {
      title: 'Login time, 95th percentile',
      value: slowest === undefined ? none : formatValue(slowest.p95, 'seconds'),
      remark: slowest && named.length > 1 ? `in ${slowest.group}, the slowest` : 'from LOGIN to its reply',
      unit: 'seconds',
      lines: apart(
        'The slowest region',
        ({ of }) => of('login_seconds:p95'),
        highestByStep(named.map(({ of }) => of('login_seconds:p95'))),
      ),
    },
    {
      title: 'Failed and refused logins per second',
      value: rateOf(now(failed)),
      remark: `failed; ${rateOf(now(refused))} refused (wrong password)`,
      unit: 'number',
      lines: [line('failed', 1, failed), line('refused', 5, refused)],
    },
    connectionsChart(sum),
  ]
}

function connectionsChart(sum: (metric: ChartMetric) => StepValues): FleetChart {
  // In a step without a report, a gauge keeps the value of the previous report.
  const now = (values: StepValues) => values.findLast((value) => value !== null) ?? null
  const [clients, leased, idle] = [sum('clients_connected'), sum('upstreams_leased'), sum('upstreams_idle')]
  const [clientsMax, serversMax] = [sum('clients_limit'), sum('upstream_connections_limit')]
  const used = sumByStep([leased, idle])
  const isNear = (values: StepValues, limit: StepValues) =>
    values.some((value, step) => (value ?? 0) > limitShownFrom * (limit[step] ?? Number.POSITIVE_INFINITY))
  const of = (limit: number | null) => (limit === null ? '' : ` of ${shortCountOf(limit)}`)
  return {
    title: 'Connections',
    value: countOf(now(used)),
    remark: `${of(now(serversMax))} to servers; ${amountOf(now(clients), 'client')}`.trim(),
    unit: 'number',
    lines: [
      { name: 'clients', colour: 2, values: clients },
      { name: 'in use', colour: 1, values: leased },
      { name: 'idle', colour: 0, values: idle },
      ...(isNear(clients, clientsMax)
        ? [{ name: 'limit of clients', colour: 2, values: clientsMax, kind: 'limit' as const }]
        : []),
      ...(isNear(used, serversMax)
        ? [{ name: 'limit to servers', colour: 0, values: serversMax, kind: 'limit' as const }]
        : []),
    ],
  }
}

function slowestOf(groups: readonly { group: string; p95: number | null }[]) {
  return groups
    .flatMap(({ group, p95 }) => (p95 === null ? [] : [{ group, p95 }]))
    .sort((one, other) => other.p95 - one.p95)[0]
}

function highestByStep(all: readonly StepValues[]): StepValues {
  const length = Math.max(0, ...all.map((values) => values.length))
  return Array.from({ length }, (_, step) => {
    const values = all.map((series) => series[step]).filter((value) => typeof value === 'number')
    return values.length === 0 ? null : Math.max(...values)
  })
}
