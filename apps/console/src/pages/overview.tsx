/** The fleet at a glance: problems, traffic, and every edge by region. */
import type { EdgeView } from '@imapfleet/api'
import { call, sentenceOf } from '../api/client.ts'
import { useAnswer } from '../api/use-answer.ts'
import { pauseMs, readWholeFleet } from '../fleet/all-edges.ts'
import { findingsOf } from '../fleet/findings.ts'
import { chooseRange, chosenRange, ranges, historyWindow, wordsOf } from '../fleet/range.ts'
import { noTraffic, together, trafficMetrics, trafficOf } from '../fleet/traffic.ts'
import { Page } from '../layout/page.tsx'
import { Answered } from '../ui/answered.tsx'
import { Choice } from '../ui/choice.tsx'
import { Note } from '../ui/note.tsx'
import { Empty } from '../ui/state.tsx'
import { OverviewFigures } from './overview-figures.tsx'
import { OpenAlerts } from './overview-alerts.tsx'
import { Findings } from './overview-findings.tsx'
import { Region } from './overview-region.tsx'
import './overview.css'

/**
 * In a larger fleet, a region shows its edges only when it is opened, because a thousand rows are slow and
 * unreadable.
 */
const edgesShown = 60

export function Overview() {
  const edges = useAnswer('edges', (signal) => readWholeFleet(call, signal), { everyMs: pauseMs })
  const range = chosenRange()
  const history = useAnswer(
    `traffic ${range}`,
    (signal) =>
      call('readHistory', {
        query: { metrics: trafficMetrics.join(','), ...historyWindow(range), groupBy: 'region' },
        signal,
      }),
    { everyMs: 10_000 },
  )
  const byRegion = trafficOf(history.data)
  return (
    <Page
      title="Overview"
      about={`Figures of the last ${wordsOf(range)}; states as of the last heartbeat.`}
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
            <OpenAlerts />
            {all.length === 0 ? <NoEdge /> : <Findings found={findingsOf(all, new Date())} all={all} />}
            {history.problem && (
              <Note tone="warn">The figures could not be loaded. {sentenceOf(history.problem)}</Note>
            )}
            {all.length > 0 && (
              <OverviewFigures all={all} traffic={byRegion && together([...byRegion.values()])} />
            )}
            <div class="regions">
              {regionsOf(all).map(([region, own]) => (
                <Region
                  key={region}
                  region={region}
                  edges={own}
                  traffic={byRegion && (byRegion.get(region) ?? noTraffic)}
                  isOpenAtFirst={all.length <= edgesShown}
                />
              ))}
            </div>
          </>
        )}
      </Answered>
    </Page>
  )
}

const regionsOf = (edges: readonly EdgeView[]) => [...Map.groupBy(edges, ({ region }) => region)]

const NoEdge = () => (
  <section class="card">
    <Empty title="No edges yet">
      {' '}
      Start one with <code>fleet.servers</code> in its file set to the NATS server that control uses. It
      appears here within seconds.
    </Empty>
  </section>
)
