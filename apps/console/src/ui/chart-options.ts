/** The appearance and behaviour of charts, for uPlot. */
import UPlot from 'uplot'
import { formatValue, type Unit } from '../format/value.ts'

export interface ChartLine {
  name: string
  values: readonly (number | null)[]
  /** From 0. The same group has the same colour in every chart. */
  colour: number
}

/** As many colours as there are in tokens.css. */
const colours = 8

export function chartOptions(
  box: HTMLElement,
  lines: readonly ChartLine[],
  unit: Unit,
  onZoom: (fromMs: number, toMs: number) => void,
): Omit<UPlot.Options, 'width' | 'height'> {
  const colour = (name: string) => colourIn(box, name)
  const axis: UPlot.Axis = {
    stroke: colour('--text-soft'),
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { stroke: colour('--line'), width: 1 },
  }
  return {
    cursor: {
      y: false,
      drag: { x: true, y: false, setScale: false },
      // All charts of a page show the same moment. A drag zooms once.
      sync: { key: 'page', filters: { pub: (type) => type === 'mousemove' || type === 'mouseleave' } },
    },
    legend: { live: true },
    axes: [
      { ...axis, space: 96, values: (_, splits) => momentsOf(splits) },
      { ...axis, size: 72, values: (_, splits) => splits.map((value) => formatValue(value, unit)) },
    ],
    scales: { y: { range: (_, low, high) => [Math.min(0, low ?? 0), high > 0 ? high * 1.05 : 1] } },
    series: [
      { value: (_, seconds) => (seconds === null ? '' : instant(seconds * 1000)) },
      ...lines.map((line): UPlot.Series => ({
        label: line.name,
        stroke: colour(`--series-${(line.colour % colours) + 1}`),
        width: 1.5,
        spanGaps: false,
        ...(line.colour % (2 * colours) >= colours && { dash: [6, 4] }),
        // A value between two gaps has no line, so it gets a point.
        points: { show: true, filter: (plot, index) => aloneIn(plot.data[index] ?? []) },
        value: (_, value) => formatValue(value, unit),
      })),
    ],
    hooks: {
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

/** The values of one moment in words. */
export function sayAt(
  index: number,
  times: readonly number[],
  lines: readonly ChartLine[],
  unit: Unit,
): string {
  const values = lines.map(({ name, values: all }) => {
    const value = all[index] ?? null
    return `${name} ${value === null ? 'nothing' : formatValue(value, unit)}`
  })
  return `${instant(times[index] ?? 0)}: ${values.join(', ')}`
}

const instant = (ms: number) => new Date(ms).toLocaleString('en-GB')

/** Indices of values without neighbours. */
function aloneIn(values: ArrayLike<number | null | undefined>): number[] {
  const isGap = (index: number) => values[index] === null || values[index] === undefined
  return Array.from(values, (_, index) => index).filter(
    (index) => !isGap(index) && isGap(index - 1) && isGap(index + 1),
  )
}

/** Times of day in ranges up to a day and a half, dates in longer ranges; seconds if they differ. */
function momentsOf(seconds: readonly number[]): string[] {
  const [first = 0, second = first] = seconds
  const span = (seconds.at(-1) ?? first) - first
  const format = new Intl.DateTimeFormat(
    'en-GB',
    span > 36 * 3600
      ? { day: 'numeric', month: 'short', ...(second - first < 86_400 && { hour: '2-digit' }) }
      : { hour: '2-digit', minute: '2-digit', ...(second - first < 60 && { second: '2-digit' }) },
  )
  return seconds.map((each) => format.format(each * 1000))
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
