/** Selects the groups of a history that are drawn as lines, and the same groups of the period before. */
import type { History } from '@imapfleet/api'
import type { ChartLine } from '../ui/chart-series.ts'
import { sumByStep } from './traffic.ts'

/** More lines than this are unreadable: the highest are drawn. */
const linesMax = 12

type LinesSource = Pick<History, 'groups'>

/** `metric`: its index. A small number of groups has the same colours for every metric. */
export function linesOf({ groups }: LinesSource, metric: number): ChartLine[] {
  const line = ({ group, values }: History['groups'][number], colour: number): ChartLine => ({
    name: group,
    values: values[metric] ?? [],
    colour,
  })
  if (groups.length <= linesMax) return groups.map(line)
  const totalOf = ({ totals }: History['groups'][number]) => totals[metric] ?? Number.NEGATIVE_INFINITY
  return groups
    .toSorted((one, other) => totalOf(other) - totalOf(one))
    .slice(0, linesMax)
    .map(line)
}

/** The lines of the previous period, step by step under the current lines. */
export function previousLines(
  previous: LinesSource,
  metric: number,
  lines: readonly ChartLine[],
): ChartLine[] {
  const byGroup = new Map(previous.groups.map(({ group, values }) => [group, values[metric] ?? []]))
  return lines.map(({ name, values, colour }) => {
    const before = byGroup.get(name) ?? []
    return {
      ...{ name: `${name} before`, colour, kind: 'previous' as const },
      values: values.map((_, step) => before[step] ?? null),
    }
  })
}

/** The sum of the period before, to compare with stacked lines. */
export function previousSum(previous: readonly ChartLine[]): ChartLine[] {
  const values = sumByStep(previous.map((line) => line.values))
  return [{ name: 'all before', values, colour: 7, kind: 'previous' }]
}

/** Steps at the start without any report, if they are more than half: a young fleet is not drawn at the edge. */
export function emptyStart({ groups }: LinesSource): number {
  const steps = groups[0]?.values[0]?.length ?? 0
  const isEmpty = (step: number) =>
    groups.every(({ values }) => values.every((series) => (series[step] ?? null) === null))
  let empty = 0
  while (empty < steps && isEmpty(empty)) empty++
  return empty > steps / 2 && empty < steps ? empty : 0
}
