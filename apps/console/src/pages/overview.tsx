/** The fleet at a glance: problems, running rollouts and operations, traffic with events, and every edge. */
import { firstEdges, type EdgeView } from '@imapfleet/api'
import { useState } from 'preact/hooks'
import { call, sentenceOf } from '../api/client.ts'
import { outage } from '../api/outage.ts'
import { useAnswer } from '../api/use-answer.ts'
import { pauseMs, readWholeFleet, type WholeFleet } from '../fleet/all-edges.ts'
import { findingsOf } from '../fleet/findings.ts'
import { fleetChartMetrics } from '../fleet/fleet-charts.ts'
import { historyAddress } from '../fleet/history-question.ts'
import { isMuted } from '../fleet/alert-words.ts'
import { alertLines, alertsIn } from '../fleet/open-alerts.ts'
import { chooseRange, chosenRange, historyWindow, ranges, wordsOf } from '../fleet/range.ts'
import { Page } from '../layout/page.tsx'
import { search } from '../router/location.ts'
import { Answered } from '../ui/answered.tsx'
import { Choice } from '../ui/choice.tsx'
import { Note } from '../ui/note.tsx'
import { Empty, EmptyCommand } from '../ui/state.tsx'
import { FleetCharts } from './fleet-charts.tsx'
import { OpenAlerts, useOpenAlerts } from './overview-alerts.tsx'
import { OverviewEdges } from './overview-edges.tsx'
import { Findings } from './overview-findings.tsx'
import { UnderWay } from './overview-rollouts.tsx'
import './overview.css'

export function Overview() {
  // With a filter or another order, the first edges of all are not the first of the table.
  const [isPlain] = useState(search.value.size === 0)
  const first = useAnswer('first edges', async (signal) =>
    isPlain ? await call('listEdges', { query: { limit: firstEdges }, signal }) : null,
  )
  const whole = useAnswer('edges', (signal) => readWholeFleet(call, signal), {
    everyMs: pauseMs,
    after: first,
  })
  const isPartial = whole.data === undefined && typeof first.data?.next === 'string'
  const edges = whole.data || !first.data ? whole : { ...whole, data: wholeOf(first.data) }
  const alerts = useOpenAlerts()
  const open = alerts?.alerts ?? []
  const onTop = alertLines(open)
  const told = [...alertsIn(onTop), ...open.filter(isMuted)]
  const range = chosenRange()
  const history = useAnswer(
    `traffic ${range}`,
    (signal) =>
      call('readHistory', {
        query: { metrics: fleetChartMetrics.join(','), ...historyWindow(range), groupBy: 'region' },
        signal,
      }),
    { everyMs: 10_000, after: whole },
  )
  return (
    <Page
      title="Overview"
      isWide
      about={`Charts of the last ${wordsOf(range)}; states as of the last heartbeat.`}
      actions={<Choice label="Time range" values={ranges} chosen={range} onChoice={chooseRange} />}
    >
      <Answered answer={edges}>
        {({ edges: all, problems }) => (
          <>
            {problems.map((problem) => (
              <Note key={problem} tone="bad">
                {problem}
              </Note>
            ))}
            <OpenAlerts list={alerts} lines={onTop} href="/alerts" />
            {all.length === 0 ? (
              <NoEdge />
            ) : (
              <>
                {isPartial ? (
                  <p class="soft">Loading all edges …</p>
                ) : (
                  <Findings found={findingsOf(all, new Date())} told={told} all={all} />
                )}
                <UnderWay />
                {history.problem && !outage.value && (
                  <Note tone="warn">The charts could not be loaded. {sentenceOf(history.problem)}</Note>
                )}
                {history.data === undefined && !history.problem && <div class="fleet-charts waiting" />}
                {history.data && (
                  <FleetCharts
                    history={history.data}
                    range={range}
                    edges={all}
                    historyOf={(from, to) => historyAddress(from, to, {})}
                  />
                )}
                <OverviewEdges edges={all} isPartial={isPartial} />
              </>
            )}
          </>
        )}
      </Answered>
    </Page>
  )
}

const wholeOf = ({
  edges,
  problems = [],
}: {
  edges: EdgeView[]
  problems?: string[] | undefined
}): WholeFleet => ({
  edges,
  problems,
})

const NoEdge = () => (
  <section class="card">
    <Empty title="No edges yet">
      {' '}
      Run <EmptyCommand text="imapfleet edges enroll NAME --region REGION" after="," /> and start an edge with{' '}
      <code>fleet.servers</code> in its file set to the NATS server that control uses. It appears here within
      seconds.
    </Empty>
  </section>
)
