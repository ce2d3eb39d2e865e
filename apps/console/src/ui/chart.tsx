/**
 * Lines over time. Hovering or the arrow keys show values; dragging or + and - change the time range. Gaps are not
 * interpolated, and a step that is not over is dashed.
 */
import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import 'uplot/dist/uPlot.min.css'
import { timeZone } from '../format/time.ts'
import type { Unit } from '../format/value.ts'
import { nextFrame } from './next-frame.ts'
import { loadPlots } from './load-plots.ts'
import type { ChartMark } from './chart-options.ts'
import { sayAt } from './chart-words.ts'
import { drawnLines, type ChartLine } from './chart-series.ts'
import { ChartLegend } from './chart-legend.tsx'
import { ChartTip } from './chart-tip.tsx'
import { nextPlace } from './chart-keys.ts'
import type { Plot } from './plot.ts'
import './chart.css'

interface ChartProps {
  /** For screen readers. */
  label: string
  /** Milliseconds since 1970, one for each value. */
  times: readonly number[]
  /** Milliseconds since 1970, when the last step ends, or later. */
  endMs: number
  lines: readonly ChartLine[]
  unit: Unit
  /** In pixels, without the legend. A chart is taller in a card that has room. */
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
  const { label, times, endMs, lines, unit, height = 220, max, onZoom, onZoomOut } = props
  const { isStacked = false, isUnfinished = false, marks = noMarks, hasLegend = true } = props
  const place = useRef<HTMLDivElement>(null)
  const plot = useRef<Plot | undefined>(undefined)
  const zoom = useRef(onZoom)
  zoom.current = onZoom
  const [said, setSaid] = useState('')
  const [cursor, setCursor] = useState<{ index: number; left: number }>()
  const zone = timeZone.value
  const key = JSON.stringify([
    times[0],
    times.at(-1),
    endMs,
    lines,
    unit,
    isStacked,
    isUnfinished,
    marks,
    zone,
  ])

  // Not after the next frame: it shall show the chart.
  useLayoutEffect(() => {
    const box = place.current
    if (!box) return undefined
    const drawn = drawnLines(lines, { isStacked, isUnfinished })
    const size = () => ({ width: box.clientWidth, height: Math.max(height, box.clientHeight) })
    let isGone = false
    const draw = async () => {
      const { plotIn } = await loadPlots()
      // The first chart of a page is not drawn with all others.
      if (!plot.current && document.querySelector('.chart') !== box) await nextFrame()
      if (isGone) return
      plot.current?.destroy()
      const look = {
        ...{ unit, max, isStacked, marks },
        // To its end: what happened during the last step is marked too.
        range: [times[0] ?? endMs, endMs] as const,
        onZoom: (from: number, to: number) => zoom.current(from, to),
        // Charts that only follow the cursor of another one show their line, but no values.
        onCursor: (index: number | undefined, left: number) =>
          setCursor(index !== undefined && box.matches(':hover, :focus') ? { index, left } : undefined),
      }
      plot.current = plotIn(box, drawn, look, size(), times)
    }
    const again = () => void draw()
    again()
    const room = new ResizeObserver(() => plot.current?.setSize(size()))
    room.observe(box)
    // Colours are read when the chart is drawn, so a change of the theme draws it again.
    const dark = matchMedia('(prefers-color-scheme: dark)')
    dark.addEventListener('change', again)
    const theme = new MutationObserver(again)
    theme.observe(document.documentElement, { attributeFilter: ['data-theme'] })
    return () => {
      isGone = true
      room.disconnect()
      theme.disconnect()
      dark.removeEventListener('change', again)
      plot.current?.destroy()
      plot.current = undefined
    }
  }, [key])

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    // Undefined until it is drawn, and again for a moment when other values have arrived.
    const drawn = plot.current
    const last = times.length - 1
    const at = drawn?.cursor.idx ?? last
    if (event.key === '-') onZoomOut()
    else if (event.key === '+' || event.key === '=') {
      const quarter = Math.max(1, Math.round(last / 4))
      onZoom(times[Math.max(0, at - quarter)] ?? endMs, times[at + quarter + 1] ?? endMs)
    } else {
      const next = drawn && nextPlace(event.key, event.shiftKey, drawn.cursor.idx ?? undefined, last)
      if (!drawn || next === undefined) return
      drawn.setCursor({ left: drawn.valToPos((times[next] ?? 0) / 1000, 'x'), top: 0 })
      setSaid(sayAt(next, times, lines, unit))
    }
    event.preventDefault()
  }

  return (
    <div class="chart-box">
      <div
        class="chart"
        role="img"
        aria-label={label}
        tabIndex={0}
        onKeyDown={onKeyDown}
        ref={place}
        // Before it is drawn, it has its height already.
        style={{ minHeight: `${height}px` }}
      />
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
