/** The charts of an edge. */
import type { EdgeView } from '@imapfleet/api'
import { call } from '../api/client.ts'
import { useAnswer } from '../api/use-answer.ts'
import { fleetChartMetrics } from '../fleet/fleet-charts.ts'
import { historyAddress } from '../fleet/history-question.ts'
import { chosenRange, historyWindow } from '../fleet/range.ts'
import { Answered } from '../ui/answered.tsx'
import { FleetCharts } from './fleet-charts.tsx'

export function EdgeTraffic({ edge }: { edge: EdgeView }) {
  const { id } = edge
  const range = chosenRange()
  const answer = useAnswer(
    `traffic ${id} ${range}`,
    (signal) =>
      call('readHistory', {
        query: { metrics: fleetChartMetrics.join(','), ...historyWindow(range), groupBy: 'edge', edge: id },
        signal,
      }),
    { everyMs: 10_000 },
  )
  // What is below does not move when the charts arrive.
  if (answer.data === undefined && !answer.problem) return <div class="fleet-charts waiting" />
  return (
    <Answered answer={answer}>
      {(history) => (
        <FleetCharts
          history={history}
          range={range}
          edges={[edge]}
          only={edge}
          historyOf={(from, to) => historyAddress(from, to, { edge: id, groupBy: 'edge' })}
        />
      )}
    </Answered>
  )
}
