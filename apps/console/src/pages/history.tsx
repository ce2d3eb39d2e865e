/** Metrics over time, by fleet, region, edge or upstream. The selection is in the address. */
import { useState } from 'preact/hooks'
import { call } from '../api/client.ts'
import { useAnswer } from '../api/use-answer.ts'
import { addressOf, questionIn, zoomedOut, type HistoryQuestion } from '../fleet/history-question.ts'
import { Page } from '../layout/page.tsx'
import { navigate, search } from '../router/location.ts'
import { Answered } from '../ui/answered.tsx'
import { Empty } from '../ui/state.tsx'
import { HistoryCharts } from './history-charts.tsx'
import { HistoryMetrics } from './history-metrics.tsx'
import { HistoryWindow } from './history-window.tsx'
import './history.css'

const refreshMs = 30_000

export function HistoryPage() {
  const question = questionIn(search.value)
  const change = (changed: Partial<HistoryQuestion>) => navigate(addressOf({ ...question, ...changed }))
  const isLive = question.to === ''
  const answer = useAnswer(
    addressOf(question),
    async (signal) =>
      question.metrics.length === 0
        ? undefined
        : await call('readHistory', { query: asked(question), signal }),
    isLive ? { everyMs: refreshMs } : {},
  )
  // The charts stay while the next ones load, and keep the focus of a keyboard user.
  const [last, setLast] = useState(answer.data)
  if (answer.data !== undefined && answer.data !== last) setLast(answer.data)
  const shown = answer.data ?? (answer.problem ? undefined : last)
  return (
    <Page
      title="History"
      about="Drag over a chart to zoom, or use the arrow keys, + and -. The address contains your selection."
      actions={
        question.metrics.length > 0 && (
          <a class="button" href={csvOf(question)} download="imapfleet-history.csv">
            Download CSV
          </a>
        )
      }
    >
      <section class="card" aria-label="Selection">
        <HistoryMetrics chosen={question.metrics} onChoice={(metrics) => change({ metrics })} />
        <HistoryWindow question={question} onChange={change} />
      </section>
      {question.metrics.length === 0 ? (
        <Empty title="No metric selected">Open the list above and select one.</Empty>
      ) : (
        <Answered answer={{ ...answer, data: shown }}>
          {(history) =>
            history && (
              <HistoryCharts
                history={history}
                onZoom={zoomTo(change)}
                onZoomOut={() =>
                  zoomTo(change)(...zoomedOut(Date.parse(history.from), Date.parse(history.to), Date.now()))
                }
              />
            )
          }
        </Answered>
      )}
    </Page>
  )
}

function csvOf(question: HistoryQuestion): string {
  return `/v1/stats/history?${new URLSearchParams({ ...asked(question), format: 'csv' }).toString()}`
}

function asked({ metrics, from, to, step, groupBy, region, edge, upstream }: HistoryQuestion) {
  return {
    ...{ metrics: metrics.join(','), from, groupBy },
    ...(to && { to }),
    ...(step && { step }),
    ...(region && { region }),
    ...(edge && { edge }),
    ...(upstream && { upstream }),
  }
}

const zoomTo = (change: (changed: Partial<HistoryQuestion>) => void) => (fromMs: number, toMs: number) => {
  const iso = (ms: number) => `${new Date(ms).toISOString().slice(0, 19)}Z`
  change({ from: iso(fromMs), to: iso(Math.max(toMs, fromMs + 10_000)), step: '' })
}
