/**
 * A column chart in block characters, with the highest value at the top, time below, and gaps for missing values. To
 * fit the terminal, steps are widened, or neighbours averaged.
 */
import type { Paint, Style } from './colour.ts'

export interface Plot {
  title: string
  values: readonly (number | null)[]
  /** The highest value, in its unit. */
  print: (value: number) => string
  /** Text under the first and the last column. */
  from: string
  to: string
}

const blocks = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█']
const rows = 6
/** Largest width of one value. */
const stepWidthMax = 8

export function plot(chart: Plot, width: number, paint: Paint, style: Style = 'cyan'): string[] {
  const highest = chart.values.reduce<number>((high, value) => Math.max(high, value ?? 0), 0)
  const top = chart.print(highest)
  const margin = top.length + 1
  const columns = fitSteps(chart.values, Math.max(10, width - margin - 2))
  const body = Array.from({ length: rows }, (_, row) => {
    const label = row === 0 ? top : ''
    const bars = columns.map((value) => cell(value, highest, rows - 1 - row)).join('')
    return `${label.padStart(margin)} │${paint(style, bars)}`.trimEnd()
  })
  const axis = `${'0'.padStart(margin)} └${'─'.repeat(columns.length)}`
  const times = `${' '.repeat(margin + 2)}${chart.from}${chart.to.padStart(
    Math.max(columns.length - chart.from.length, chart.to.length + 1),
  )}`
  return [paint('bold', chart.title), ...body, axis, times]
}

/** The character of one column in one row; rows count from the bottom. A gap is marked at the bottom only. */
function cell(value: number | null, highest: number, row: number): string {
  if (value === null) return row === 0 ? '·' : ' '
  if (highest === 0) return ' '
  const eighths = Math.round((Math.max(0, value) / highest) * rows * 8) - row * 8
  // A value above zero is always visible.
  if (row === 0 && value > 0) return blocks[Math.max(1, Math.min(8, eighths))] ?? ' '
  return blocks[Math.max(0, Math.min(8, eighths))] ?? ' '
}

/** At most `width` columns: each value repeated, or the average of neighbours. */
export function fitSteps(values: readonly (number | null)[], width: number): (number | null)[] {
  if (values.length === 0) return []
  if (values.length <= width) {
    const times = Math.min(stepWidthMax, Math.floor(width / values.length))
    return values.flatMap((value) => Array.from({ length: times }, () => value))
  }
  return Array.from({ length: width }, (_, column) => {
    const first = Math.floor((column * values.length) / width)
    const last = Math.floor(((column + 1) * values.length) / width)
    const known = values.slice(first, last).filter((value) => value !== null)
    return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length
  })
}
