/** The names of the lines of a chart. */
import type { ChartLine } from './chart-series.ts'

/** More would be higher than the chart. The values under the cursor name all lines. */
const shownMax = 12

/** All lines of the previous period are dotted, each in the colour of its group. */
const before: ChartLine = { name: '', values: [], colour: 7 }

export const ChartLegend = ({ lines }: { lines: readonly ChartLine[] }) => (
  <ul class="chart-legend">
    {lines
      .filter(({ kind }) => kind !== 'previous')
      .slice(0, shownMax)
      .map((line) => (
        <li key={`${line.name} ${line.kind ?? ''}`}>
          <Swatch line={line} /> {line.name}
        </li>
      ))}
    {lines.some(({ kind }) => kind === 'previous') && (
      <li>
        <Swatch line={{ ...before, kind: 'previous' }} /> the period before
      </li>
    )}
  </ul>
)

export const Swatch = ({ line: { colour, kind } }: { line: ChartLine }) => (
  <span class={`line-swatch ${kind ?? ''}`}>
    <svg viewBox="0 0 14 4" aria-hidden="true">
      <path
        class={kind === 'limit' ? 'limit' : `series-${(colour % 8) + 1}`}
        d="M0 2H14"
        stroke-width={kind === undefined ? 3 : 2}
        {...(kind !== undefined && { 'stroke-dasharray': '3 2' })}
      />
    </svg>
  </span>
)
