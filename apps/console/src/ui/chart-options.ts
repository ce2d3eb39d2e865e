/** The appearance and behaviour of charts, for uPlot. */
import UPlot from 'uplot'
import { axisTimesOf, timeZone } from '../format/time.ts'
import { formatValue, type Unit } from '../format/value.ts'
import type { ChartLine, DrawnLine } from './chart-series.ts'

/** Something that happened, drawn as a vertical line. */
export interface ChartMark {
  /** Milliseconds since 1970. */
  at: number
  text: string
}

export interface ChartLook {
  unit: Unit
  /** The upper end of the axis; by default it follows the values. */
  max?: number | undefined
  isStacked: boolean
  /** The ends of the time axis, in milliseconds since 1970. */
  range: readonly [from: number, to: number]
  marks: readonly ChartMark[]
  onZoom: (fromMs: number, toMs: number) => void
  /** Index of the values under the cursor, and its distance from the left in pixels. */
  onCursor: (index: number | undefined, left: number) => void
}

/** As many colours as there are in tokens.css. */
const colours = 8
const axisFont = '11px system-ui, sans-serif'

export function chartOptions(
  box: HTMLElement,
  drawn: readonly DrawnLine[],
  look: ChartLook,
): Omit<UPlot.Options, 'width' | 'height'> {
  const { unit, isStacked, range, marks, onZoom, onCursor, max } = look
  const colour = (name: string) => colourIn(box, name)
  const seriesColour = ({ colour: index }: ChartLine) => colour(`--series-${(index % colours) + 1}`)
  const axis: UPlot.Axis = {
    stroke: colour('--text-soft'),
    font: axisFont,
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { stroke: colour('--line'), width: 1, size: 4 },
  }
  const markColour = colour('--text-soft')
  // The place in uPlot's data of each drawn line: the times come first, an unfinished step is a separate line.
  const places = drawn.map((_, index) =>
    drawn.slice(0, index).reduce((sum, { unfinished }) => sum + (unfinished ? 2 : 1), 1),
  )
  const isFilled = drawn.length === 1
  return {
    ...(timeZone.value === 'UTC' && {
      tzDate: (seconds) => UPlot.tzDate(new Date(seconds * 1000), 'Etc/UTC'),
    }),
    cursor: {
      y: false,
      drag: { x: true, y: false, setScale: false },
      // All charts of a page show the same moment. A drag zooms once.
      sync: { key: 'page', filters: { pub: (type) => type === 'mousemove' || type === 'mouseleave' } },
      points: { size: 6 },
    },
    legend: { show: false },
    padding: [10, 22, 0, 0],
    axes: [
      {
        ...axis,
        size: 26,
        // Labels of long ranges have the date.
        space: (_, _axis, from, to) => (to - from > 36 * 3600 ? 70 : 56),
        values: (_, splits) => axisTimesOf(splits),
      },
      {
        ...axis,
        space: 26,
        size: (_, values) => 16 + 6.5 * Math.max(3, ...(values ?? []).map((text) => text.length)),
        values: (_, splits) => splits.map((value) => formatValue(value, unit)),
      },
    ],
    scales: {
      x: { range: [range[0] / 1000, range[1] / 1000] },
      y: { range: (_, low, high) => [Math.min(0, low ?? 0), max ?? (high > 0 ? high * 1.05 : 1)] },
    },
    series: [
      {},
      ...drawn.flatMap(({ line, unfinished, on }): UPlot.Series[] => {
        const stroke = seriesColour(line)
        const isDashed = line.kind !== undefined || line.colour % (2 * colours) >= colours
        const isArea = isFilled || (isStacked && line.kind === undefined && on === undefined)
        const series: UPlot.Series = {
          label: line.name,
          stroke: line.kind === 'limit' ? markColour : stroke,
          width: line.kind === undefined ? 1.5 : 1,
          spanGaps: false,
          ...(isDashed && { dash: line.kind === 'previous' ? [2, 3] : [6, 4] }),
          // A value between two gaps has no line, so it gets a point.
          points: { show: true, size: 4, filter: (plot, index) => aloneIn(plot.data[index] ?? []) },
        }
        const finished = isArea ? { ...series, fill: translucent(stroke) } : series
        return unfinished ? [finished, { ...series, dash: [3, 3], points: { show: false } }] : [finished]
      }),
    ],
    bands: drawn.flatMap(({ line, on }, index): UPlot.Band[] =>
      on === undefined
        ? []
        : [{ series: [places[index] ?? 1, places[on] ?? 1], fill: translucent(seriesColour(line)) }],
    ),
    hooks: {
      setCursor: [(plot) => onCursor(plot.cursor.idx ?? undefined, plot.cursor.left ?? 0)],
      drawAxes: [(plot) => drawMarks(plot, marks, markColour)],
      setSelect: [
        (plot) => {
          const { left, width } = plot.select
          if (width < 4) return
          const at = (x: number) => Math.round(plot.posToVal(x, 'x') * 1000)
          plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
          onZoom(at(left), at(left + width))
        },
      ],
    },
  }
}

/** A line and a small triangle at the top for each. */
function drawMarks(plot: UPlot, marks: readonly ChartMark[], colour: string): void {
  const { ctx, bbox } = plot
  const ratio = devicePixelRatio
  ctx.save()
  ctx.strokeStyle = colour
  ctx.fillStyle = colour
  ctx.lineWidth = ratio
  ctx.setLineDash([2 * ratio, 3 * ratio])
  for (const { at } of marks) {
    const x = Math.round(plot.valToPos(at / 1000, 'x', true))
    if (x < bbox.left || x > bbox.left + bbox.width) continue
    ctx.beginPath()
    ctx.moveTo(x, bbox.top)
    ctx.lineTo(x, bbox.top + bbox.height)
    ctx.stroke()
    ctx.beginPath()
    ctx.moveTo(x - 4 * ratio, bbox.top - 6 * ratio)
    ctx.lineTo(x + 4 * ratio, bbox.top - 6 * ratio)
    ctx.lineTo(x, bbox.top)
    ctx.fill()
  }
  ctx.restore()
}

/** Indices of values without neighbours. */
function aloneIn(values: ArrayLike<number | null | undefined>): number[] {
  const isGap = (index: number) => values[index] === null || values[index] === undefined
  return Array.from(values, (_, index) => index).filter(
    (index) => !isGap(index) && isGap(index - 1) && isGap(index + 1),
  )
}

/** The present value of a colour of tokens.css: a canvas does not support `light-dark()`. */
function colourIn(box: HTMLElement, name: string): string {
  const probe = document.createElement('span')
  probe.style.color = `var(${name})`
  box.append(probe)
  const { color } = getComputedStyle(probe)
  probe.remove()
  return color
}

/** `rgb(1, 2, 3)` with little opacity. */
const translucent = (colour: string): string => colour.replace(/^rgb\((.*)\)$/, 'rgba($1, 0.16)')
