/**
 * Lines over time. Hovering or the arrow keys show values; dragging or + and - change the time range. Gaps are not
 * interpolated, and a step that is not over is dashed.
 */
import { useEffect, useRef, useState } from 'preact/hooks'
import UPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { timeZone } from '../format/time.ts'
import type { Unit } from '../format/value.ts'
import { chartOptions, sayAt, type ChartMark } from './chart-options.ts'
import { drawnLines, type ChartLine } from './chart-series.ts'
import { ChartLegend } from './chart-legend.tsx'
import { ChartTip } from './chart-tip.tsx'
import { nextPlace } from './chart-keys.ts'
import './chart.css'

interface ChartProps {
  /** For screen readers. */
  label: string
  /** Milliseconds since 1970, one for each value. */
  times: readonly number[]
  lines: readonly ChartLine[]
  unit: Unit
  /** In pixels, without the legend. */
  height?: number
  max?: number
  isStacked?: boolean
  /** The last step is not over. */
  isUnfinished?: boolean
  marks?: readonly ChartMark[]
  /** False: the page names the lines elsewhere. */
  hasLegend?: boolean
  onZoom: (fromMs: number, toMs: number) => void
  onZoomOut: () => void
}

const noMarks: readonly ChartMark[] = []

export function Chart(props: ChartProps) {
  const { label, times, lines, unit, height = 220, max, onZoom, onZoomOut } = props
  const { isStacked = false, isUnfinished = false, marks = noMarks, hasLegend = true } = props
  const place = useRef<HTMLDivElement>(null)
  const plot = useRef<UPlot | undefined>(undefined)
  const zoom = useRef(onZoom)
  zoom.current = onZoom
  const [said, setSaid] = useState('')
  const [cursor, setCursor] = useState<{ index: number; left: number }>()
  const zone = timeZone.value
  const key = JSON.stringify([times[0], times.at(-1), lines, unit, isStacked, isUnfinished, marks, zone])

  useEffect(() => {
    const box = place.current
    if (!box) return undefined
    const drawn = drawnLines(lines, { isStacked, isUnfinished })
    const data = [
      times.map((ms) => ms / 1000),
      ...drawn.flatMap(({ values, unfinished }) => (unfinished ? [values, unfinished] : [values])),
    ]
    const size = () => ({ width: box.clientWidth, height })
    const draw = () => {
      plot.current?.destroy()
      const options = chartOptions(box, drawn, {
        ...{ unit, max, isStacked, marks },
        onZoom: (from, to) => zoom.current(from, to),
        // Charts that only follow the cursor of another one show their line, but no values.
        onCursor: (index, left) =>
          setCursor(index !== undefined && box.matches(':hover, :focus') ? { index, left } : undefined),
      })
      plot.current = new UPlot({ ...options, ...size() }, data as UPlot.AlignedData, box)
    }
    draw()
    const width = new ResizeObserver(() => plot.current?.setSize(size()))
    width.observe(box)
    // Colours are read when the chart is drawn, so a change of the theme draws it again.
    const dark = matchMedia('(prefers-color-scheme: dark)')
    dark.addEventListener('change', draw)
    const theme = new MutationObserver(draw)
    theme.observe(document.documentElement, { attributeFilter: ['data-theme'] })
    return () => {
      width.disconnect()
      theme.disconnect()
      dark.removeEventListener('change', draw)
      plot.current?.destroy()
      plot.current = undefined
    }
  }, [key])

  const onKeyDown = (event: KeyboardEvent) => {
    const drawn = plot.current
    if (!drawn || event.ctrlKey || event.metaKey || event.altKey) return
    const last = times.length - 1
    const at = drawn.cursor.idx ?? last
    if (event.key === '-') onZoomOut()
    else if (event.key === '+' || event.key === '=') {
      const quarter = Math.max(1, Math.round(last / 4))
      const [from = 0, to = 0] = [times[Math.max(0, at - quarter)], times[Math.min(last, at + quarter)]]
      onZoom(from, to)
    } else {
      const next = nextPlace(event.key, event.shiftKey, drawn.cursor.idx ?? undefined, last)
      if (next === undefined) return
      drawn.setCursor({ left: drawn.valToPos((times[next] ?? 0) / 1000, 'x'), top: 0 })
      setSaid(sayAt(next, times, lines, unit))
    }
    event.preventDefault()
  }

  return (
    <div class="chart-box">
      <div class="chart" role="img" aria-label={label} tabIndex={0} onKeyDown={onKeyDown} ref={place} />
      {cursor && (
        <ChartTip
          {...{ times, lines, unit, marks, index: cursor.index }}
          left={cursor.left + (plot.current?.over.offsetLeft ?? 0)}
          isUnfinished={isUnfinished && cursor.index === times.length - 1}
        />
      )}
      {hasLegend && lines.length > 1 && <ChartLegend lines={lines} />}
      <p class="unseen" role="status">
        {said}
      </p>
    </div>
  )
}
