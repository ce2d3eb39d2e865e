/** The four figures of the fleet. */
import { isHeard, type EdgeView } from '@imapfleet/api'
import { currentOf, finishedOf, ratioOf, totalOf, type Traffic } from '../fleet/traffic.ts'
import { amountOf, countOf, rateOf, shareOf } from '../format/number.ts'
import { Figure } from '../ui/figure.tsx'

export function OverviewFigures({ all, traffic }: { all: readonly EdgeView[]; traffic: Traffic }) {
  // The last figures of a silent edge are outdated.
  const heard = all.filter(isHeard)
  const sum = (kind: keyof EdgeView['connections']) =>
    heard.reduce((total, { connections }) => total + connections[kind], 0)
  const serving = heard.filter(({ state }) => state === 'serving').length
  return (
    <dl class="figures">
      <Figure
        title="Sessions per second"
        value={rateOf(currentOf(traffic.sessions))}
        remark={`${amountOf(sum('clients'), 'client')} connected now`}
        values={traffic.sessions}
      />
      <Figure
        title="Reuse ratio"
        value={shareOf(totalOf(traffic.reuses), totalOf(traffic.logins))}
        remark="of logins reused a connection"
        values={ratioOf(traffic)}
        max={100}
      />
      <Figure
        title="Logins avoided"
        value={countOf(totalOf(traffic.reuses))}
        remark={`of ${countOf(totalOf(traffic.logins))} logins`}
        values={finishedOf(traffic.reuses)}
      />
      <Figure
        title="Idle connections"
        value={countOf(sum('cached'))}
        remark={`${countOf(sum('active'))} in use; ${serving} of ${amountOf(all.length, 'edge')} serving`}
        values={traffic.idle}
      />
    </dl>
  )
}
