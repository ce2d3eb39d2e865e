/**
 * A history as a table (one row for each step since the first report, and the total) or as charts (one for each group
 * and metric).
 */
import { edgeMetrics, type MetricRow } from '@imapfleet/observe'
import { safe, type History } from '@imapfleet/api'
import { bytes, formatCount, seconds, share } from './number.ts'
import { plot } from './plot.ts'
import { table, type Column, type TableLayout } from './table.ts'
import { clock, day } from './time.ts'

/** A column: a metric, or a value computed from several metrics. */
export interface HistoryFigure {
  title: string
  /** Computed from the values of one step (or the totals), by metric. */
  of: (values: Values) => number | null
  print: (value: number | null) => string
}
type Values = (metric: string) => number | null

const known: Readonly<Record<string, MetricRow>> = edgeMetrics

/** A metric in its own unit: `login_seconds:p95`, `client_bytes_total{...}`. */
export function metricFigure(metric: string): HistoryFigure {
  const name = /^[a-z_]+/.exec(metric)?.[0] ?? ''
  const isTime = known[name]?.kind === 'histogram' && !metric.endsWith(':count')
  const print = isTime ? seconds : name.includes('_bytes') ? bytes : formatCount
  return { title: metric, of: (values) => values(metric), print }
}

/** One metric as a share of another. */
export const shareFigure = (title: string, part: string, whole: string): HistoryFigure => ({
  title,
  of: (values) => {
    const [some, all] = [values(part), values(whole)]
    return some === null || !all ? null : some / all
  },
  print: (value) => (value === null ? '-' : share(value, 1)),
})

interface Row {
  time: string
  group: string
  values: Values
}

export function historyTable(
  history: History,
  figures: readonly HistoryFigure[],
  page: TableLayout,
): string[] {
  const columns: Column<Row>[] = [
    { title: 'TIME', cell: (row) => row.time },
    ...(history.groupBy === 'fleet'
      ? []
      : [{ title: history.groupBy.toUpperCase(), cell: (row: Row) => row.group }]),
    ...figures.map((figure): Column<Row> => ({
      title: figure.title,
      align: 'right',
      cell: (row) => figure.print(figure.of(row.values)),
    })),
  ]
  const { groups } = history
  const steps = Array.from({ length: stepsOf(history) }, (_, step) => step).slice(firstReported(history))
  if (steps.length === 0) return []
  const rows = steps.flatMap((step) =>
    groups.map((group): Row => ({
      time: spanOf(history, step),
      group: group.group,
      values: pick(history, (index) => group.values[index]?.[step]),
    })),
  )
  const totals = groups.map((group): Row => ({
    time: 'TOTAL',
    group: group.group,
    values: pick(history, (index) => group.totals[index]),
  }))
  return table(columns, [...rows, ...totals], page)
}

export function historyPlots(
  history: History,
  figures: readonly HistoryFigure[],
  page: TableLayout,
  width: number,
): string[] {
  return history.groups.flatMap((group) =>
    figures.flatMap((figure) => {
      const values = Array.from({ length: finishedSteps(history) }, (_, step) =>
        figure.of(pick(history, (index) => group.values[index]?.[step])),
      )
      const total = figure.print(figure.of(pick(history, (index) => group.totals[index])))
      const title = `${safe(group.group)}  ${safe(figure.title)}  ${total}`
      const ends = { from: timeOf(history, 0), to: timeOf(history, finishedSteps(history)) }
      return [...plot({ title, values, print: figure.print, ...ends }, width, page.paint), '']
    }),
  )
}

export const stepsOf = (history: History) => history.groups[0]?.values[0]?.length ?? 0

/** The first step with any report. Before it there was no fleet, or its history is no longer kept. */
export function firstReported(history: History): number {
  const firsts = history.groups
    .flatMap((group) => group.values)
    .map((values) => values.findIndex((value) => value !== null))
    .filter((step) => step >= 0)
  return Math.min(stepsOf(history), ...firsts)
}

const pick =
  (history: History, valueAt: (metric: number) => number | null | undefined): Values =>
  (metric) =>
    valueAt(history.metrics.indexOf(metric)) ?? null

/** Without a last step that the end of the history cuts short, unless it is the only one: it would look like a fall. */
const finishedSteps = (history: History) =>
  Math.max(1, isCut(history, stepsOf(history) - 1) ? stepsOf(history) - 1 : stepsOf(history))

/** The start of a step; and its end, if the end of the history cuts it short. */
function spanOf(history: History, step: number): string {
  const start = timeOf(history, step)
  return isCut(history, step) ? `${start} to ${clock(history.to)}` : start
}

function isCut({ from, to, stepSeconds }: History, step: number): boolean {
  const start = Date.parse(from) + step * stepSeconds * 1000
  return start < Date.parse(to) && start + stepSeconds * 1000 > Date.parse(to)
}

/** The start of a step, with the date if the range is longer than one day, with seconds if the steps are short. */
export function timeOf({ from, to, stepSeconds }: History, step: number): string {
  const at = Math.min(Date.parse(from) + step * stepSeconds * 1000, Date.parse(to))
  const time = stepSeconds < 60 ? clock(at) : clock(at).slice(0, 5)
  return day(from) === day(to) ? time : `${day(at).slice(5)} ${time}`
}
