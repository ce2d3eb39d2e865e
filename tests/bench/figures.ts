/** Figures of repeated measurements: the median with the smallest and the largest. */

export interface BenchFigure {
  median: number
  min: number
  max: number
}

export function figureOf(values: number[]): BenchFigure {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  const upper = sorted[Math.floor(middle)] ?? NaN
  const lower = sorted[Math.ceil(middle) - 1] ?? NaN
  return { median: (upper + lower) / 2, min: sorted[0] ?? NaN, max: sorted.at(-1) ?? NaN }
}
