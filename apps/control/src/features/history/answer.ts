/**
 * Builds the answer from rows: one value for each group, metric and step. A value that was not reported is null, not
 * zero.
 */
import { percentile, type Histogram } from '@imapfleet/observe'
import type { History } from '@imapfleet/api'
import { ServiceError } from '../../platform/errors.ts'
import { seriesMatcher, type Expression } from './expression.ts'
import { rowsOver, type Gauge, type HistoryRow } from './rows.ts'
import { stepOf, type Resolution, type Window } from './window.ts'

export type GroupBy = History['groupBy']

/** Values in one answer: about 20 MB of JSON. */
const valuesMax = 2_000_000

/** What one group counted in one step (or in all steps) for one expression. */
interface Tally {
  sum: number
  counts: Record<string, number>
}

export function historyOf(
  expressions: readonly Expression[],
  groupBy: GroupBy,
  window: Window,
  resolution: Resolution,
  rows: readonly HistoryRow[],
): History {
  const groups = new Map<string, (Tally | undefined)[][]>()
  if (groupBy === 'fleet') talliesOf('fleet')

  const steps = rowsOver(rows, (at) => window.from + stepOf(window, at) * window.stepMs)
  expressions.forEach((expression, index) => {
    const labelsOf = seriesMatcher(expression)
    for (const row of steps) addRow(expression, index, row, labelsOf)
  })
  // A report that leaves out an upstream says that nothing happened there.
  const heard = groupBy === 'upstream' ? new Set(steps.map(({ at }) => stepOf(window, at))) : undefined

  return {
    from: new Date(window.from).toISOString(),
    to: new Date(window.to).toISOString(),
    stepSeconds: window.stepMs / 1000,
    resolution,
    groupBy,
    metrics: expressions.map((expression) => expression.text),
    groups: [...groups.entries()]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([group, tallies]) => ({
        group,
        values: tallies.map((row, index) => valuesOf(expressions[index]!, row, window)),
        totals: tallies.map((row, index) => totalOf(expressions[index]!, row, window, heard)),
      })),
  }

  function addRow(
    { reading }: Expression,
    index: number,
    row: HistoryRow,
    labelsOf: (key: string) => Record<string, string> | undefined,
  ): void {
    const step = stepOf(window, row.at)
    // The edge reported: what its row leaves out is zero.
    if (groupBy !== 'upstream' && reading.of !== 'gauge') tallyOf(groupName(row, {}), index, step)
    const series = { counter: row.counters, gauge: row.gauges, histogram: row.histograms }[reading.of]
    for (const [key, value] of Object.entries(series)) {
      const labels = labelsOf(key)
      if (!labels) continue
      const counted =
        reading.of === 'gauge' ? gaugeValue(value as Gauge, reading.take) : (value as number | Histogram)
      add(tallyOf(groupName(row, labels), index, step), counted)
    }
  }

  function groupName(from: { edge: string; region: string }, labels: Record<string, string>): string {
    if (groupBy === 'upstream') return labels.upstream ?? ''
    return groupBy === 'fleet' ? 'fleet' : from[groupBy]
  }

  function talliesOf(group: string): (Tally | undefined)[][] {
    const known = groups.get(group)
    if (known) return known
    if ((groups.size + 1) * expressions.length * window.points > valuesMax)
      throw new ServiceError(
        'step_too_fine',
        `The answer would have more than ${valuesMax} values: ask for fewer metrics, a longer step or one region, or group by region.`,
      )
    const tallies = expressions.map(() => Array<Tally | undefined>(window.points).fill(undefined))
    groups.set(group, tallies)
    return tallies
  }

  function tallyOf(group: string, index: number, step: number): Tally {
    const row = talliesOf(group)[index]!
    return (row[step] ??= { sum: 0, counts: {} })
  }
}

const gaugeValue = (gauge: Gauge, take: 'average' | 'last' | 'max' | 'min'): number =>
  take === 'average' ? gauge.sum / gauge.count : gauge[take]

function add(tally: Tally, value: number | Histogram): void {
  if (typeof value === 'number') {
    tally.sum += value
    return
  }
  tally.sum += value.sum
  for (const [bucket, count] of Object.entries(value.counts))
    tally.counts[bucket] = (tally.counts[bucket] ?? 0) + count
}

function valuesOf(
  expression: Expression,
  row: readonly (Tally | undefined)[],
  window: Window,
): (number | null)[] {
  return row.map((tally, step) => (tally ? read(expression, tally, stepLengthMs(window, step)) : null))
}

const stepLengthMs = ({ from, to, stepMs }: Window, step: number): number =>
  Math.min(stepMs, to - (from + step * stepMs))

/**
 * One value for the whole window. Its rate is that of the steps with a report, as a chart shows them: before them nothing
 * is known. `heard`: these steps, if they are not those of the row.
 */
function totalOf(
  expression: Expression,
  row: readonly (Tally | undefined)[],
  window: Window,
  heard: ReadonlySet<number> | undefined,
): number | null {
  const known = row.filter((tally) => tally !== undefined)
  if (known.length === 0) return null
  const { reading } = expression
  if (reading.of !== 'gauge') {
    const total: Tally = { sum: 0, counts: {} }
    for (const tally of known) add(total, tally)
    const coveredMs = row.reduce(
      (sum, tally, step) =>
        (heard ? heard.has(step) : tally !== undefined) ? sum + stepLengthMs(window, step) : sum,
      0,
    )
    return read(expression, total, coveredMs)
  }
  const values = known.map((tally) => tally.sum)
  if (reading.take === 'last') return values.at(-1)!
  if (reading.take === 'average') return values.reduce((sum, value) => sum + value, 0) / values.length
  return values.reduce((a, b) => Math[reading.take as 'max' | 'min'](a, b))
}

function read({ reading }: Expression, tally: Tally, durationMs: number): number | null {
  if (reading.of !== 'histogram') return reading.take === 'rate' ? tally.sum / (durationMs / 1000) : tally.sum
  const count = Object.values(tally.counts).reduce((sum, each) => sum + each, 0)
  switch (reading.take) {
    case 'count':
      return count
    case 'sum':
      return tally.sum
    case 'average':
      return count === 0 ? null : tally.sum / count
    case 'percentile':
      return percentile(tally.counts, reading.share)
  }
}
