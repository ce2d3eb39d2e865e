/** What was counted over time: any metrics, any time, by fleet, region, edge or upstream. The address keeps the choice. */
import type { History as Answer } from '@imapfleet/protocol'
import { api } from '../api/api.ts'
import { useAnswer } from '../api/use-answer.ts'
import { addressOf, describe, questionIn, type HistoryQuestion } from '../fleet/history-question.ts'
import { valueOf } from '../format/value.ts'
import { Page } from '../layout/page.tsx'
import { navigate, search } from '../router/location.ts'
import { Answered } from '../ui/answered.tsx'
import { Card } from '../ui/card.tsx'
import { Chart } from '../ui/chart.tsx'
import { Empty } from '../ui/state.tsx'
import { Table, type Column } from '../ui/table.tsx'
import { HistoryMetrics } from './history-metrics.tsx'
import { HistoryWindow } from './history-window.tsx'
import './history.css'

const refreshMs = 30_000

export function History() {
  const question = questionIn(search.value)
  const change = (changed: Partial<HistoryQuestion>) => navigate(addressOf({ ...question, ...changed }))
  const isLive = question.to === ''
  const answer = useAnswer(
    addressOf(question),
    async (signal) =>
      question.metrics.length === 0 ? undefined : await api.history(asked(question), signal),
    isLive ? { everyMs: refreshMs } : {},
  )
  return (
    <Page
      title="History"
      about="What was counted. Drag over a chart to look closer; the address keeps what you chose."
      actions={
        <a class="button" href={csvOf(question)} download="imapfleet-history.csv">
          Download CSV
        </a>
      }
    >
      <section class="card" aria-label="What to show">
        <HistoryMetrics chosen={question.metrics} onChoice={(metrics) => change({ metrics })} />
        <HistoryWindow question={question} onChange={change} />
      </section>
      {question.metrics.length === 0 ? (
        <Empty title="No metric is chosen">Open the list above and tick one.</Empty>
      ) : (
        <Answered answer={answer}>
          {(history) => history && <Charts history={history} onZoom={zoomTo(change)} />}
        </Answered>
      )}
    </Page>
  )
}

function csvOf(question: HistoryQuestion): string {
  const { metrics, ...rest } = asked(question)
  return `/v1/stats/history?${new URLSearchParams({ metrics: metrics.join(','), ...rest, format: 'csv' }).toString()}`
}

function asked({ metrics, from, to, step, groupBy, region, edge }: HistoryQuestion) {
  return {
    ...{ metrics, from, groupBy },
    ...(to && { to }),
    ...(step && { step }),
    ...(region && { region }),
    ...(edge && { edge }),
  }
}

const zoomTo = (change: (changed: Partial<HistoryQuestion>) => void) => (fromMs: number, toMs: number) => {
  const iso = (ms: number) => `${new Date(ms).toISOString().slice(0, 19)}Z`
  change({ from: iso(fromMs), to: iso(Math.max(toMs, fromMs + 10_000)), step: '' })
}

function Charts({ history, onZoom }: { history: Answer; onZoom: (fromMs: number, toMs: number) => void }) {
  const { from, stepSeconds, groups, metrics } = history
  const points = groups[0]?.values[0]?.length ?? 0
  const times = Array.from({ length: points }, (_, step) => Date.parse(from) + step * stepSeconds * 1000)
  const hasValues = groups.some(({ totals }) => totals.some((total) => total !== null))
  if (!hasValues)
    return (
      <Empty title="Nothing was reported then">Take another time, or look for edges in the overview.</Empty>
    )
  return (
    <div class="history-charts">
      {metrics.map((metric, index) => {
        const { name, words, unit } = describe(metric)
        const lines = groups.map(({ group, values }) => ({ name: group, values: values[index] ?? [] }))
        return (
          <Card
            key={metric}
            title={<code>{name}</code>}
            about={`${words}, steps of ${lengthOf(stepSeconds)}`}
          >
            <Chart
              label={`${name}, ${words}, over time`}
              times={times}
              lines={lines}
              unit={unit}
              onZoom={onZoom}
            />
          </Card>
        )
      })}
      <Card title="In all" about="One value for the whole time.">
        <Table
          caption="Values for the whole time"
          columns={columnsOf(history)}
          rows={groups}
          keyOf={({ group }) => group}
        />
      </Card>
    </div>
  )
}

function columnsOf({ groupBy, metrics }: Answer): Column<Answer['groups'][number]>[] {
  return [
    { title: groupBy, kind: 'head', cell: ({ group }) => group },
    ...metrics.map((metric, index): Column<Answer['groups'][number]> => {
      const { name, words, unit } = describe(metric)
      return {
        title: `${name} (${words})`,
        kind: 'number',
        cell: ({ totals }) => valueOf(totals[index], unit),
      }
    }),
  ]
}

function lengthOf(seconds: number): string {
  if (seconds % 86_400 === 0) return `${seconds / 86_400} d`
  if (seconds % 3_600 === 0) return `${seconds / 3_600} h`
  return seconds % 60 === 0 ? `${seconds / 60} min` : `${seconds} s`
}
