/** The traffic of an edge. */
import type { EdgeView } from '@imapfleet/api'
import { call } from '../api/client.ts'
import { useAnswer } from '../api/use-answer.ts'
import {
  finishedOf,
  loginsAvoided,
  noTraffic,
  ratioOf,
  reuseShare,
  sessionRate,
  totalOf,
  trafficMetrics,
  trafficOf,
} from '../fleet/traffic.ts'
import { chosenRange, historyWindow, wordsOf } from '../fleet/range.ts'
import { countOf } from '../format/number.ts'
import { Answered } from '../ui/answered.tsx'
import { Figure } from '../ui/figure.tsx'

export function EdgeTraffic({ edge: { id } }: { edge: EdgeView }) {
  const metrics = [...trafficMetrics, 'reuse_refused_total', 'login_seconds:p95']
  const range = chosenRange()
  const answer = useAnswer(
    `traffic ${id} ${range}`,
    (signal) =>
      call('readHistory', {
        query: { metrics: metrics.join(','), ...historyWindow(range), groupBy: 'edge', edge: id },
        signal,
      }),
    { everyMs: 10_000 },
  )
  return (
    <Answered answer={answer}>
      {(history) => {
        const traffic = trafficOf(history)?.get(id) ?? noTraffic
        const [, , , , refused = [], slowest = []] = (history.groups[0]?.values ?? []).map((series) =>
          finishedOf(series, history),
        )
        const p95 = history.groups[0]?.totals[5] ?? null
        return (
          <dl class="figures">
            <Figure
              title="Sessions per second"
              value={sessionRate(traffic)}
              remark={`${countOf(totalOf(traffic.logins))} logins in the last ${wordsOf(range)}`}
              values={traffic.sessions}
            />
            <Figure
              title="Reuse ratio"
              value={reuseShare(traffic)}
              remark={`${loginsAvoided(traffic)} logins avoided`}
              values={ratioOf(traffic)}
              max={100}
            />
            <Figure
              title="Not reused"
              value={countOf(totalOf(refused))}
              remark="connections closed after a session"
              values={refused}
            />
            <Figure
              title="Login, 95 of 100 within"
              value={
                p95 === null
                  ? countOf(null)
                  : `${p95 < 0.1 ? (p95 * 1000).toFixed(1) : Math.round(p95 * 1000)} ms`
              }
              remark="from LOGIN to its reply"
              values={slowest}
            />
          </dl>
        )
      }}
    </Answered>
  )
}
