/** The four figures of the fleet. */
import { isHeard, type EdgeView } from '@imapfleet/api'
import {
  trafficText,
  loginsAvoided,
  noTraffic,
  ratioOf,
  reuseShare,
  sessionRate,
  totalOf,
  type Traffic,
} from '../fleet/traffic.ts'
import { amountOf, countOf } from '../format/number.ts'
import { Figure } from '../ui/figure.tsx'

export function OverviewFigures({
  all,
  traffic,
}: {
  all: readonly EdgeView[]
  traffic: Traffic | undefined
}) {
  const { reuses, logins, sessions, idle } = traffic ?? noTraffic
  // The last figures of a silent edge are outdated.
  const heard = all.filter(isHeard)
  const sum = (kind: keyof EdgeView['connections']) =>
    heard.reduce((total, { connections }) => total + connections[kind], 0)
  const serving = heard.filter(({ state }) => state === 'serving').length
  return (
    <dl class="figures">
      <Figure
        title="Sessions per second"
        value={trafficText(traffic, sessionRate)}
        remark={`${amountOf(sum('clients'), 'client')} connected now`}
        values={sessions}
      />
      <Figure
        title="Reuse ratio"
        value={trafficText(traffic, reuseShare)}
        remark="of logins reused a connection"
        values={ratioOf({ reuses, logins })}
        max={100}
      />
      <Figure
        title="Logins avoided"
        value={trafficText(traffic, loginsAvoided)}
        remark={`of ${trafficText(traffic, (known) => countOf(totalOf(known.logins)))} logins`}
        values={reuses}
      />
      <Figure
        title="Idle connections"
        value={countOf(sum('cached'))}
        remark={`${countOf(sum('active'))} in use; ${serving} of ${amountOf(all.length, 'edge')} serving`}
        values={idle}
      />
    </dl>
  )
}
