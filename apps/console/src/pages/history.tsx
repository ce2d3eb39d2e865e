/** Metrics over time, by fleet, region, edge or upstream. The selection is in the address. */
import { ProblemError } from '@imapfleet/client'
import type { History } from '@imapfleet/api'
import { useState } from 'preact/hooks'
import { call, sentenceOf } from '../api/client.ts'
import { useAnswer } from '../api/use-answer.ts'
import {
  absolute,
  addressOf,
  questionIn,
  zoomedOut,
  type HistoryQuestion,
} from '../fleet/history-question.ts'
import { Page } from '../layout/page.tsx'
import { navigate, search } from '../router/location.ts'
import { Answered } from '../ui/answered.tsx'
import { Note } from '../ui/note.tsx'
import { Empty } from '../ui/state.tsx'
import { HistoryCharts } from './history-charts.tsx'
import { HistoryMetrics } from './history-metrics.tsx'
import { HistoryWindow } from './history-window.tsx'
import './history.css'

const refreshMs = 30_000

interface HistoryAnswer {
  history: History
  /** The period before, in the same steps. */
  previous?: History
  /** Why there is none. */
  noPrevious?: unknown
}

export function HistoryPage() {
  const question = questionIn(search.value)
  const change = (changed: Partial<HistoryQuestion>) => navigate(addressOf({ ...question, ...changed }))
  const zoomTo = (fromMs: number, toMs: number) => change(absolute(fromMs, toMs))
  const isLive = question.to === ''
  const answer = useAnswer(
    // Stacking draws the same values.
    addressOf({ ...question, stacked: '' }),
    async (signal) => (question.metrics.length === 0 ? undefined : await ask(question, signal)),
    isLive ? { everyMs: refreshMs } : {},
  )
  // The charts stay while the next ones load, and keep the focus of a keyboard user.
  const [last, setLast] = useState(answer.data)
  if (answer.data !== undefined && answer.data !== last) setLast(answer.data)
  const shown = answer.data ?? (answer.problem ? undefined : last)
  return (
    <Page
      title="History"
      isWide
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
        <HistoryWindow question={question} shown={shown?.history} onChange={change} />
        <HistoryMetrics chosen={question.metrics} onChoice={(metrics) => change({ metrics })} />
      </section>
      {question.metrics.length === 0 ? (
        <Empty title="No metric selected">Choose a preset, or open the list above and select metrics.</Empty>
      ) : (
        <Answered answer={{ ...answer, data: shown }}>
          {(found) =>
            found && (
              <>
                {found.noPrevious !== undefined && (
                  <Note tone="warn">The previous period is not shown. {sentenceOf(found.noPrevious)}</Note>
                )}
                <HistoryCharts
                  history={found.history}
                  previous={question.compare === '' ? undefined : found.previous}
                  isStacked={question.stacked !== ''}
                  onZoom={zoomTo}
                  onZoomOut={() =>
                    zoomTo(
                      ...zoomedOut(Date.parse(found.history.from), Date.parse(found.history.to), Date.now()),
                    )
                  }
                />
              </>
            )
          }
        </Answered>
      )}
    </Page>
  )
}

async function ask(question: HistoryQuestion, signal: AbortSignal): Promise<HistoryAnswer> {
  const query = asked(question)
  const history = await call('readHistory', { query, signal })
  const steps = history.groups[0]?.values[0]?.length ?? 0
  if (question.compare === '' || steps === 0) return { history }
  const begin = Date.parse(history.from)
  const before = {
    from: new Date(begin - steps * history.stepSeconds * 1000).toISOString(),
    to: history.from,
    step: `${history.stepSeconds}s`,
  }
  try {
    return { history, previous: await call('readHistory', { query: { ...query, ...before }, signal }) }
  } catch (error) {
    // Such as a time for which only rougher figures are kept.
    if (!(error instanceof ProblemError)) throw error
    return { history, noPrevious: error }
  }
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
