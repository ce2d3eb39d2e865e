/** The part of a chart that uPlot draws. Only load-plots.ts imports it. */
import UPlot from 'uplot'
import { chartOptions, type ChartLook } from './chart-options.ts'
import type { DrawnLine } from './chart-series.ts'

export type { default as Plot } from 'uplot'

export function plotIn(
  box: HTMLElement,
  drawn: readonly DrawnLine[],
  look: ChartLook,
  size: { width: number; height: number },
  times: readonly number[],
): UPlot {
  const data = [
    times.map((ms) => ms / 1000),
    ...drawn.flatMap(({ values, unfinished }) => (unfinished ? [values, unfinished] : [values])),
  ]
  return new UPlot({ ...chartOptions(box, drawn, look), ...size }, data as UPlot.AlignedData, box)
}
