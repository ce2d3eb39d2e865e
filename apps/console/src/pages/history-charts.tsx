/** The result of a history query: a chart for each metric, and a table with the totals. */
import type { History } from '@imapfleet/api'
import { linesOf } from '../fleet/history-lines.ts'
import { describe } from '../fleet/history-question.ts'
import { finishedOf } from '../fleet/traffic.ts'
import { countOf } from '../format/number.ts'
import { formatValue } from '../format/value.ts'
import { Card } from '../ui/card.tsx'
import { Chart } from '../ui/chart.tsx'
import { Empty } from '../ui/state.tsx'
import { Table, type TableColumn } from '../ui/table.tsx'

interface ChartsProps {
  history: History
  onZoom: (fromMs: number, toMs: number) => void
  onZoomOut: () => void
}

export function HistoryCharts({ history, onZoom, onZoomOut }: ChartsProps) {
  const { from, stepSeconds, groups, metrics } = history
  const points = finishedOf(groups[0]?.values[0] ?? [], history).length
  const times = Array.from({ length: points }, (_, step) => Date.parse(from) + step * stepSeconds * 1000)
  const hasValues = groups.some(({ totals }) => totals.some((total) => total !== null))
  if (!hasValues)
    return (
      <Empty title="No reports in this time range">
        Choose another time range, or check the edges in the overview.
      </Empty>
    )
  return (
    <div class="history-charts">
      {metrics.map((metric, index) => {
        const { name, words, unit } = describe(metric)
        const lines = linesOf(history, index)
        const rest =
          groups.length > lines.length && `; the ${lines.length} highest of ${countOf(groups.length)}`
        return (
          <Card
            key={metric}
            title={<code>{name}</code>}
            about={`${words}, steps of ${lengthOf(stepSeconds)}${rest || ''}`}
          >
            <Chart label={`${name}, ${words}, over time`} {...{ times, lines, unit, onZoom, onZoomOut }} />
          </Card>
        )
      })}
      <Card title="Total" about="One value for the whole time range.">
        <Table
          caption="Values for the whole time range"
          columns={columnsOf(history)}
          rows={groups}
          keyOf={({ group }) => group}
        />
      </Card>
    </div>
  )
}

function columnsOf({ groupBy, metrics }: History): TableColumn<History['groups'][number]>[] {
  return [
    { title: groupBy, kind: 'head', cell: ({ group }) => group },
    ...metrics.map((metric, index): TableColumn<History['groups'][number]> => {
      const { name, words, unit } = describe(metric)
      return {
        title: `${name} (${words})`,
        kind: 'number',
        cell: ({ totals }) => formatValue(totals[index], unit),
      }
    }),
  ]
}

function lengthOf(seconds: number): string {
  if (seconds % 86_400 === 0) return `${seconds / 86_400} d`
  if (seconds % 3_600 === 0) return `${seconds / 3_600} h`
  return seconds % 60 === 0 ? `${seconds / 60} min` : `${seconds} s`
}
