/** Lines over time: hover tells the values, dragging chooses a stretch of it. Gaps stay gaps. */
import { useEffect, useRef } from 'preact/hooks'
import UPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { valueOf, type Unit } from '../format/value.ts'
import './chart.css'

interface ChartProps {
  /** For those who do not see it. */
  label: string
  /** Milliseconds since 1970, one for each value. */
  times: readonly number[]
  lines: readonly { name: string; values: readonly (number | null)[] }[]
  unit: Unit
  onZoom: (fromMs: number, toMs: number) => void
}

const height = 220
/** As many colours as there are in tokens.css. */
const colours = 8

export function Chart({ label, times, lines, unit, onZoom }: ChartProps) {
  const place = useRef<HTMLDivElement>(null)
  const zoom = useRef(onZoom)
  zoom.current = onZoom
  const key = JSON.stringify([times[0], times.length, lines, unit])

  useEffect(() => {
    const box = place.current
    if (!box) return undefined
    let plot: UPlot | undefined
    const draw = () => {
      plot?.destroy()
      plot = new UPlot(optionsOf(box), dataOf(), box)
    }
    draw()
    const width = new ResizeObserver(() => plot?.setSize({ width: box.clientWidth, height }))
    width.observe(box)
    // Colours are read when it is drawn: a change of the theme needs another picture.
    const dark = matchMedia('(prefers-color-scheme: dark)')
    dark.addEventListener('change', draw)
    const theme = new MutationObserver(draw)
    theme.observe(document.documentElement, { attributeFilter: ['data-theme'] })
    return () => {
      width.disconnect()
      theme.disconnect()
      dark.removeEventListener('change', draw)
      plot?.destroy()
    }
  }, [key])

  return <div class="chart" role="img" aria-label={label} ref={place} />

  function dataOf(): UPlot.AlignedData {
    return [times.map((ms) => ms / 1000), ...lines.map(({ values }) => [...values])]
  }

  function optionsOf(box: HTMLElement): UPlot.Options {
    const colour = (name: string) => colourIn(box, name)
    const axis: UPlot.Axis = {
      stroke: colour('--text-soft'),
      grid: { stroke: colour('--line'), width: 1 },
      ticks: { stroke: colour('--line'), width: 1 },
    }
    return {
      width: box.clientWidth,
      height,
      cursor: { drag: { x: true, y: false, setScale: false } },
      legend: { live: true },
      axes: [
        { ...axis, space: 96, values: (_, splits) => momentsOf(splits) },
        { ...axis, size: 72, values: (_, splits) => splits.map((value) => valueOf(value, unit)) },
      ],
      scales: { y: { range: (_, low, high) => [Math.min(0, low ?? 0), high > 0 ? high * 1.05 : 1] } },
      series: [
        { value: (_, seconds) => (seconds === null ? '' : new Date(seconds * 1000).toLocaleString('en-GB')) },
        ...lines.map(({ name }, index): UPlot.Series => ({
          label: name,
          stroke: colour(`--series-${(index % colours) + 1}`),
          width: 1.5,
          spanGaps: false,
          // A value between two gaps has no line to be seen by.
          points: { show: true, filter: (plot, line) => aloneIn(plot.data[line] ?? []) },
          value: (_, value) => valueOf(value, unit),
        })),
      ],
      hooks: {
        setSelect: [
          (plot) => {
            const { left, width } = plot.select
            if (width < 4) return
            const at = (x: number) => Math.round(plot.posToVal(x, 'x') * 1000)
            plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
            zoom.current(at(left), at(left + width))
          },
        ],
      },
    }
  }
}

/** Indices of values with none beside them. */
function aloneIn(values: ArrayLike<number | null | undefined>): number[] {
  const isGap = (index: number) => values[index] === null || values[index] === undefined
  return Array.from(values, (_, index) => index).filter(
    (index) => !isGap(index) && isGap(index - 1) && isGap(index + 1),
  )
}

/** Clock times within a day and a half, days beyond; seconds where they differ. */
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

/** A colour of tokens.css as it is now: a canvas knows no `light-dark()`. */
function colourIn(box: HTMLElement, name: string): string {
  const probe = document.createElement('span')
  probe.style.color = `var(${name})`
  box.append(probe)
  const { color } = getComputedStyle(probe)
  probe.remove()
  return color
}
