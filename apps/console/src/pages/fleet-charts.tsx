/** The charts of the overview and of an edge, and what happened in their time range. */
import type { EdgeView, History } from '@imapfleet/api'
import { chartTimesOf, fleetChartsOf } from '../fleet/fleet-charts.ts'
import { areFirstReportsDue } from '../fleet/late-reports.ts'
import { endWithMarks, type Mark } from '../fleet/marks.ts'
import { historyWindow, wordsOf, type Range } from '../fleet/range.ts'
import { useMarks } from '../fleet/use-marks.ts'
import { navigate } from '../router/location.ts'
import { PageLink } from '../router/link.tsx'
import { ChartLegend } from '../ui/chart-legend.tsx'
import { Chart } from '../ui/chart.tsx'
import type { ChartLine } from '../ui/chart-series.ts'
import { Moment } from '../ui/moment.tsx'
import { LateNote } from './late-note.tsx'
import './fleet-charts.css'

interface ChartsProps {
  history: History
  range: Range
  /** Their restarts are marked. */
  edges: readonly EdgeView[]
  /** Of this edge only: what happened to others is not marked. */
  only?: EdgeView
  /** The page of the history for a time range. */
  historyOf: (fromMs: number, toMs: number) => string
}

const height = 104

export function FleetCharts({ history, range, edges, only, historyOf }: ChartsProps) {
  const [fromMs, toMs] = [Date.parse(history.from), Date.parse(history.to)]
  // These charts end with the present.
  const marks = useMarks(edges, fromMs, Math.max(toMs, Date.now()), only)
  const { times, endMs: lastEndMs, isUnfinished } = chartTimesOf(history)
  const endMs = endWithMarks(lastEndMs, marks)
  if (history.groups.length === 0)
    return (
      <p class="soft small">
        {areFirstReportsDue(only ? [only] : edges, new Date())
          ? 'The first reports arrive within half a minute.'
          : `No reports in the last ${wordsOf(range)}.`}
      </p>
    )
  const charts = fleetChartsOf(history)
  // The lines of most charts are the regions: one legend names them for all.
  const shared = charts[0]?.lines ?? []
  const isShared = (lines: readonly ChartLine[]) =>
    lines.map(({ name }) => name).join() === shared.map(({ name }) => name).join()
  return (
    <>
      <LateNote history={history} range={historyWindow(range).from} />
      {shared.length > 1 && <ChartLegend lines={shared} />}
      <div class="fleet-charts">
        {charts.map(({ title, value, remark, lines, unit, max }) => (
          <section class="card" key={title} aria-label={title}>
            <h2>{title}</h2>
            <p class="now" title={`${value} ${remark}`}>
              <strong>{value}</strong> <span>{remark}</span>
            </p>
            <Chart
              label={`${title} over time`}
              {...{ times, endMs, lines, unit, isUnfinished, marks, height }}
              {...(max !== undefined && { max })}
              hasLegend={!isShared(lines)}
              onZoom={(from, to) => navigate(historyOf(from, to))}
              onZoomOut={() => navigate(historyOf(fromMs - (toMs - fromMs), toMs))}
            />
          </section>
        ))}
      </div>
      <Marks marks={marks} />
    </>
  )
}

const shownMax = 5

/** The list of the marks in the charts. */
export function Marks({ marks }: { marks: readonly Mark[] }) {
  if (marks.length === 0) return null
  const older = marks.slice(shownMax)
  return (
    <section class="marks" aria-label="What happened in this time">
      <ol>
        {marks.slice(0, shownMax).map((mark) => (
          <MarkLine key={`${mark.at} ${mark.text}`} mark={mark} />
        ))}
      </ol>
      {older.length > 0 && (
        <details>
          <summary>{older.length} more</summary>
          <ol>
            {older.map((mark) => (
              <MarkLine key={`${mark.at} ${mark.text}`} mark={mark} />
            ))}
          </ol>
        </details>
      )}
    </section>
  )
}

const MarkLine = ({ mark: { at, text, href } }: { mark: Mark }) => (
  <li>
    <span class="when">
      <Moment at={new Date(at).toISOString()} />
    </span>{' '}
    {href === undefined ? text : <PageLink href={href}>{text}</PageLink>}
  </li>
)
