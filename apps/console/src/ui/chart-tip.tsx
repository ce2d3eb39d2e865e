/** The values under the cursor of a chart, and what happened at that time. */
import { useLayoutEffect, useRef } from 'preact/hooks'
import { instantOf } from '../format/time.ts'
import { formatValue, type Unit } from '../format/value.ts'
import { Swatch } from './chart-legend.tsx'
import type { ChartMark } from './chart-options.ts'
import type { ChartLine } from './chart-series.ts'

interface TipProps {
  times: readonly number[]
  lines: readonly ChartLine[]
  unit: Unit
  marks: readonly ChartMark[]
  index: number
  /** Pixels from the left of the chart. */
  left: number
  isUnfinished: boolean
}

const shownMax = 14

export function ChartTip({ times, lines, unit, marks, index, left, isUnfinished }: TipProps) {
  const place = useRef<HTMLDivElement>(null)
  useLayoutEffect(() => {
    const tip = place.current
    const box = tip?.parentElement
    if (!tip || !box) return
    const gap = 14
    const isRight = left + gap + tip.offsetWidth > box.clientWidth
    tip.style.left = `${Math.max(0, isRight ? left - gap - tip.offsetWidth : left + gap)}px`
  })
  const at = times[index] ?? 0
  const stepMs = times.length > 1 ? (times[1] ?? 0) - (times[0] ?? 0) : 0
  const untilMs = index === times.length - 1 ? Infinity : at + Math.max(stepMs, 1_000)
  const near = marks.filter((mark) => mark.at >= at - stepMs / 2 && mark.at < untilMs)
  return (
    <div class="chart-tip" aria-hidden="true" ref={place}>
      <p>
        {instantOf(new Date(at))}
        {isUnfinished && ' (not over)'}
      </p>
      <ul>
        {lines.slice(0, shownMax).map((line) => (
          <li key={`${line.name} ${line.kind ?? ''}`}>
            <Swatch line={line} /> {line.name} <strong>{formatValue(line.values[index], unit)}</strong>
          </li>
        ))}
      </ul>
      {near.map(({ text, at: time }) => (
        <p key={`${time} ${text}`} class="mark">
          {text}
        </p>
      ))}
    </div>
  )
}
