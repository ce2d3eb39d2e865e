/** Metrics over time, by fleet, region, edge or upstream. The selection is in the address. */
import { ProblemError } from '@imapfleet/client'
import {
  firstPartOf,
  historyQuestionIn,
  historyRequest,
  queryOf,
  type EdgeView,
  type History,
  type HistoryQuestion,
} from '@imapfleet/api'
import { useState } from 'preact/hooks'
import { call, sentenceOf } from '../api/client.ts'
import { useAnswer } from '../api/use-answer.ts'
import { readWholeFleet } from '../fleet/all-edges.ts'
import {
  absolute,
  addressOf,
  isAbsolute,
  unknownValues,
  upstreamsOf,
  zoomedOut,
} from '../fleet/history-question.ts'
import { Page } from '../layout/page.tsx'
import { navigate, search } from '../router/location.ts'
import { Answered } from '../ui/answered.tsx'
import { usePlots } from '../ui/load-plots.ts'
import { Note } from '../ui/note.tsx'
import { Empty } from '../ui/state.tsx'
import { HistoryCharts } from './history-charts.tsx'
import { HistoryMetrics } from './history-metrics.tsx'
import { HistoryWindow } from './history-window.tsx'
import { LateNote } from './late-note.tsx'
import './history.css'

const refreshMs = 30_000
/** Without metrics nothing comes before the lists of edges. */
const nothingAsked = { data: true, problem: undefined }
const noEdges: readonly EdgeView[] = []

interface HistoryAnswer {
  history: History
  /** The period before, in the same steps. */
  previous?: History
  /** Why there is none. */
  noPrevious?: unknown
}

export function HistoryPage() {
  usePlots()
  const question = historyQuestionIn(search.value)
  const change = (changed: Partial<HistoryQuestion>) => navigate(addressOf({ ...question, ...changed }))
  const zoomTo = (fromMs: number, toMs: number) => change(absolute(fromMs, toMs))
  const isLive = question.to === ''
  const hasMetrics = question.metrics.length > 0
  const unknown = unknownValues(question.metrics)
  // Stacking draws the same values.
  const key = addressOf({ ...question, stacked: '' })
  // Later queries follow charts that are already there.
  const [first] = useState(() => ({ key, question: firstPartOf(question) }))
  const firstPart = useAnswer(`first part of ${first.key}`, async (signal) =>
    first.question
      ? { history: await call('readHistory', { query: queryOf(first.question), signal }) }
      : null,
  )
  const answer = useAnswer(key, async (signal) => (hasMetrics ? await ask(question, signal) : undefined), {
    ...(isLive && { everyMs: refreshMs }),
    ...(first.question && { after: firstPart }),
  })
  // The lists of choices are filled after the charts.
  const { data: edges = noEdges } = useAnswer(
    'edges of a history',
    async (signal) => (await readWholeFleet(call, signal)).edges,
    { after: hasMetrics ? answer : nothingAsked },
  )
  // The charts stay while the next ones load, and keep the focus of a keyboard user.
  const [last, setLast] = useState(answer.data)
  if (answer.data !== undefined && answer.data !== last) setLast(answer.data)
  const begun = first.key === key ? (firstPart.data ?? undefined) : undefined
  const shown: HistoryAnswer | undefined = answer.data ?? (answer.problem ? undefined : (last ?? begun))
  return (
    <Page
      title="History"
      isWide
      about="Drag over a chart to zoom, or use the arrow keys, + and -. The address contains your selection."
      actions={
        hasMetrics && (
          <a
            class="button"
            href={historyRequest(question, { format: 'csv' })}
            download="imapfleet-history.csv"
          >
            Download CSV
          </a>
        )
      }
    >
      <section class="card" aria-label="Selection">
        <HistoryWindow question={question} shown={shown?.history} edges={edges} onChange={change} />
        <HistoryMetrics
          chosen={question.metrics}
          upstreams={upstreamsOf(edges)}
          onChoice={(metrics) => change({ metrics })}
        />
      </section>
      {unknown.map((sentence) => (
        <Note key={sentence} tone="bad">
          {sentence}
        </Note>
      ))}
      {!hasMetrics ? (
        <Empty title="No metric selected">Choose a preset, or open the list above and select metrics.</Empty>
      ) : (
        <Answered answer={{ ...answer, data: shown }}>
          {(found) =>
            found && (
              <>
                {found.noPrevious !== undefined && (
                  <Note tone="warn">The previous period is not shown. {sentenceOf(found.noPrevious)}</Note>
                )}
                {isLive && found !== begun && <LateNote history={found.history} range={question.from} />}
                <HistoryCharts
                  history={found.history}
                  isWhole={found !== begun}
                  isAsked={question.metrics.some((metric) => unknownValues([metric]).length === 0)}
                  previous={question.compare === '' ? undefined : found.previous}
                  isStacked={question.stacked !== ''}
                  isLive={isLive}
                  onZoom={zoomTo}
                  onZoomOut={() => {
                    // From the address, if it has one: the charts of the next range may not have arrived yet.
                    const { from, to } = isAbsolute(question) ? question : found.history
                    zoomTo(...zoomedOut(Date.parse(from), Date.parse(to), Date.now()))
                  }}
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
  const query = queryOf(question)
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
    // Such as a time for which only longer steps are stored.
    if (!(error instanceof ProblemError)) throw error
    return { history, noPrevious: error }
  }
}
