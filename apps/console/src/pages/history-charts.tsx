/** The result of a history query: a chart for each metric, and a table with the totals. */
import type { History } from '@imapfleet/api'
import { chartTimesOf } from '../fleet/fleet-charts.ts'
import { emptyStart, linesOf, previousLines, previousSum } from '../fleet/history-lines.ts'
import { describe } from '../fleet/history-question.ts'
import { endWithMarks } from '../fleet/marks.ts'
import { useMarks } from '../fleet/use-marks.ts'
import { countOf } from '../format/number.ts'
import { momentOf } from '../format/time.ts'
import { formatValue } from '../format/value.ts'
import { Card } from '../ui/card.tsx'
import { Chart } from '../ui/chart.tsx'
import { Empty } from '../ui/state.tsx'
import { Table, type TableColumn } from '../ui/table.tsx'
import { Marks } from './fleet-charts.tsx'

interface ChartsProps {
  history: History
  /** False: the last minutes are missing. */
  isWhole: boolean
  /** False: none of the metrics can have values. */
  isAsked: boolean
  /** The period before; undefined: not compared. */
  previous: History | undefined
  isStacked: boolean
  /** The time range ends with the present. */
  isLive: boolean
  onZoom: (fromMs: number, toMs: number) => void
  onZoomOut: () => void
}

export function HistoryCharts({
  history,
  isWhole,
  isAsked,
  previous,
  isStacked,
  isLive,
  onZoom,
  onZoomOut,
}: ChartsProps) {
  const { from, to, stepSeconds, groups, metrics } = history
  const all = chartTimesOf(history)
  const begin = previous ? 0 : emptyStart(history)
  const times = all.times.slice(begin)
  const marks = useMarks(
    [],
    times[0] ?? Date.parse(from),
    isLive ? Math.max(Date.parse(to), Date.now()) : Date.parse(to),
  )
  const hasValues = groups.some(({ totals }) => totals.some((total) => total !== null))
  return (
    <div class="history-charts">
      {isWhole && isAsked && !hasValues && (
        <Empty title="No reports in this time range">
          Choose another time range, or check the edges in the overview.
        </Empty>
      )}
      {begin > 0 && (
        <p class="soft small">
          The first reports of this range are of {momentOf(new Date(times[0] ?? 0), new Date())}: charts begin
          there.
        </p>
      )}
      <div class="charts">
        {metrics.map((metric, index) => {
          const { title, unit, canStack } = describe(metric)
          const lines = linesOf(history, index).map((line) => ({ ...line, values: line.values.slice(begin) }))
          const before = previous ? previousLines(previous, index, lines) : []
          const isOnEachOther = isStacked && canStack && lines.length > 1
          const rest =
            groups.length > lines.length && `; the ${lines.length} highest of ${countOf(groups.length)}`
          return (
            <Card
              key={metric}
              title={title}
              about={`Steps of ${lengthOf(stepSeconds)}${rest || ''}`}
              actions={<code class="soft small">{metric}</code>}
            >
              <Chart
                label={`${title}, over time`}
                {...{ times, unit, marks, onZoom, onZoomOut }}
                endMs={endWithMarks(all.endMs, marks)}
                lines={[...(isOnEachOther && previous ? previousSum(before) : before), ...lines]}
                isStacked={isOnEachOther}
                isUnfinished={all.isUnfinished}
              />
            </Card>
          )
        })}
      </div>
      <Marks marks={marks} />
      {isWhole && hasValues && (
        <Card title="Total" about="One value for the whole time range.">
          <Table
            caption="Values for the whole time range"
            columns={columnsOf(history)}
            rows={groups}
            keyOf={({ group }) => group}
          />
        </Card>
      )}
    </div>
  )
}

function columnsOf({ groupBy, metrics }: History): TableColumn<History['groups'][number]>[] {
  return [
    {
      title: `${groupBy.slice(0, 1).toUpperCase()}${groupBy.slice(1)}`,
      kind: 'head',
      cell: ({ group }) => group,
    },
    ...metrics.map((metric, index): TableColumn<History['groups'][number]> => {
      const { title, unit } = describe(metric)
      return { title, kind: 'number', cell: ({ totals }) => formatValue(totals[index], unit) }
    }),
  ]
}

function lengthOf(seconds: number): string {
  if (seconds % 86_400 === 0) return `${seconds / 86_400} d`
  if (seconds % 3_600 === 0) return `${seconds / 3_600} h`
  return seconds % 60 === 0 ? `${seconds / 60} min` : `${seconds} s`
}
