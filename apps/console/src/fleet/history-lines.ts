/** Selects the groups of a history that are drawn as lines. */
import type { History } from '@imapfleet/api'
import { finishedOf } from './traffic.ts'

interface Line {
  name: string
  values: readonly (number | null)[]
  /** From 0. */
  colour: number
}

/** More lines than this are unreadable: the highest are drawn. */
const linesMax = 12

type LinesSource = Pick<History, 'from' | 'to' | 'stepSeconds' | 'groups'>

/** `metric`: its index. A small number of groups has the same colours for every metric. */
export function linesOf(history: LinesSource, metric: number): Line[] {
  const { groups } = history
  const line = ({ group, values }: History['groups'][number], colour: number): Line => ({
    name: group,
    values: finishedOf(values[metric] ?? [], history),
    colour,
  })
  if (groups.length <= linesMax) return groups.map(line)
  const totalOf = ({ totals }: History['groups'][number]) => totals[metric] ?? Number.NEGATIVE_INFINITY
  return groups
    .toSorted((one, other) => totalOf(other) - totalOf(one))
    .slice(0, linesMax)
    .map(line)
}
