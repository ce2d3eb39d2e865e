/** The values that a chart draws, from its lines: stacked if asked for, and the unfinished step apart. */

export interface ChartLine {
  name: string
  values: readonly (number | null)[]
  /** From 0. The same group has the same colour in every chart. */
  colour: number
  /** `limit`: a bound that the others stay below. `previous`: the period before. Neither is stacked. */
  kind?: 'limit' | 'previous'
}

export interface DrawnLine {
  line: ChartLine
  /** The finished steps. */
  values: (number | null)[]
  /** The last finished step and the unfinished one; undefined if there is none. */
  unfinished?: (number | null)[]
  /** Index of the drawn line under this one, down to which it is filled; undefined: no fill or down to 0. */
  on?: number
}

interface SeriesLook {
  isStacked: boolean
  /** The last step is not over. */
  isUnfinished: boolean
}

export function drawnLines(
  lines: readonly ChartLine[],
  { isStacked, isUnfinished }: SeriesLook,
): DrawnLine[] {
  let below: readonly (number | null)[] | undefined
  let on: number | undefined
  return lines.map((line, index) => {
    const values = isStacked && line.kind === undefined ? sumOf(below, line.values) : line.values
    const drawn: DrawnLine = { line, ...parted(values, isUnfinished && line.kind !== 'previous') }
    if (!isStacked || line.kind !== undefined) return drawn
    const lower = on
    below = values
    on = index
    return lower === undefined ? drawn : { ...drawn, on: lower }
  })
}

/** Null only where neither has a value. */
function sumOf(
  below: readonly (number | null)[] | undefined,
  values: readonly (number | null)[],
): (number | null)[] {
  return values.map((value, step) => {
    const under = below?.[step] ?? null
    return value === null && under === null ? null : (value ?? 0) + (under ?? 0)
  })
}

/** A single step has nothing to be compared with: it is drawn as finished. */
function parted(
  values: readonly (number | null)[],
  isUnfinished: boolean,
): Pick<DrawnLine, 'values' | 'unfinished'> {
  const last = values.length - 1
  if (!isUnfinished || last < 1) return { values: [...values] }
  return {
    values: values.map((value, step) => (step === last ? null : value)),
    unfinished: values.map((value, step) => (step >= last - 1 ? value : null)),
  }
}
