/** `imapfleet stats`: metrics over time; by default how well connections are reused. */
import { historyCsv, safe, type History } from '@imapfleet/api'
import { Option, type Command } from 'commander'
import { durationOption, momentArgument } from '../options.ts'
import {
  firstReported,
  historyPlots,
  historyTable,
  metricFigure,
  shareFigure,
  stepsOf,
  timeOf,
  type HistoryFigure,
} from '../print/history.ts'
import { parseDuration } from '../print/time.ts'
import type { Shell } from '../shell.ts'

interface StatsOptions {
  metrics?: string
  from: string
  to: string
  step?: number
  groupBy: History['groupBy']
  region?: string
  edge?: string
  upstream?: string
  plot?: true
  csv?: true
}

const examples = `
A counter shows its increase in each step (:rate: per second), a gauge its
average (or :last, :max, :min), a histogram :p50, :p95, :p99, :avg or :count.
Steps without a report are shown as -.

Examples:
  imapfleet stats --from -24h --group-by region
  imapfleet stats --from 2026-03-01T08:00:00Z --to 2026-03-01T12:00:00Z \\
    --step 15m --edge eu-1
  imapfleet stats --from -30d --group-by edge --csv > month.csv
  imapfleet stats --plot \\
    --metrics 'logins_total{result="refused"},login_seconds:p95'`

export function addStats(parent: Command, shell: Shell): void {
  parent
    .command('stats')
    .description('history of logins and reuse, or of any metrics, as a table or as charts')
    .option('--metrics <list>', 'metrics instead of logins and reuse, separated by commas')
    .option('--from <time>', 'start: a time ago, or a date and time', momentArgument, '-1h')
    .option('--to <time>', 'end', momentArgument, 'now')
    .addOption(durationOption('--step <duration>', 'length of a step'))
    .addOption(
      new Option('--group-by <what>', 'one row for each')
        .choices(['fleet', 'region', 'edge', 'upstream'])
        .default('fleet'),
    )
    .option('--region <region>', 'only this region')
    .option('--edge <id>', 'only this edge')
    .option('--upstream <name>', 'only this upstream, for metrics that have the label upstream')
    .option('--plot', 'draw charts')
    .option('--csv', 'print CSV, for a spreadsheet')
    .addHelpText('after', examples)
    .action(async (options: StatsOptions, command: Command) => {
      const client = await shell.client(command)
      const { metrics, from, to, groupBy, region, edge, upstream } = options
      const byUpstream = groupBy === 'upstream' || upstream !== undefined
      const asked = metrics ?? reuseMetrics(byUpstream).join(',')
      const step = options.step ?? stepFor(from, to, options.plot ? columnsAimed : rowsAimed)
      const query = { metrics: asked, from, to, groupBy, region, edge, upstream }
      const history = await client.call('readHistory', {
        query: { ...query, step: `${Math.ceil(step / 1000)}s` },
      })
      if (options.csv || shell.format(command) === 'csv')
        return shell.print(historyCsv(printable(history)).trimEnd().split('\r\n'))
      const figures = metrics === undefined ? reuseFigures(byUpstream) : history.metrics.map(metricFigure)
      const first = firstReported(history)
      if (first === stepsOf(history)) shell.note('nothing was reported in that time')
      else if (first > 0) shell.note(`nothing was reported before ${timeOf(history, first)}`)
      shell.answer(command, history, (page) =>
        options.plot
          ? historyPlots(history, figures, page, page.width ?? 80)
          : historyTable(history, figures, page),
      )
    })
}

/** With names that are safe on a terminal and do not break a line. */
const printable = (history: History): History => ({
  ...history,
  metrics: history.metrics.map(safe),
  groups: history.groups.map((group) => ({ ...group, group: safe(group.group) })),
})

const logins = 'logins_total{result="ok"}'
const reused = 'upstream_reuses_total'
const refused = 'reuse_refused_total'
const opened = 'upstream_connections_total'

/** reuse_refused_total has the label reason, but not upstream. */
const reuseMetrics = (byUpstream: boolean) =>
  byUpstream ? [logins, reused, opened] : [logins, reused, refused, opened]

function reuseFigures(byUpstream: boolean): HistoryFigure[] {
  const titles = new Map([
    [logins, 'LOGINS OK'],
    [reused, 'REUSED'],
    [refused, 'NOT REUSED'],
    [opened, 'NEW CONNECTIONS'],
  ])
  const plain = reuseMetrics(byUpstream).map((metric) => ({
    ...metricFigure(metric),
    title: titles.get(metric) ?? metric,
  }))
  return plain.toSpliced(2, 0, shareFigure('REUSE RATIO', reused, logins))
}

/** About as many rows as fit on a screen. */
const rowsAimed = 20
const columnsAimed = 70
const minute = 60_000
const niceSteps = [
  10_000,
  30_000,
  ...[1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440].map((n) => n * minute),
]

function stepFor(from: string, to: string, aimed: number): number {
  const at = (moment: string) =>
    moment === 'now'
      ? 0
      : moment.startsWith('-')
        ? -(parseDuration(moment.slice(1)) ?? 0)
        : Date.parse(moment) - Date.now()
  const least = (at(to) - at(from)) / aimed
  return niceSteps.find((step) => step >= least) ?? Math.ceil(least / (1440 * minute)) * 1440 * minute
}
