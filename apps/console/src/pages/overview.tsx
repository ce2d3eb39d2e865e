/** The fleet at a glance: what is wrong, how much it does, and every edge by region. */
import type { EdgeView } from '@imapfleet/protocol'
import { api } from '../api/api.ts'
import { useAnswer } from '../api/use-answer.ts'
import { findingsOf, type Finding } from '../fleet/findings.ts'
import {
  currentOf,
  noTraffic,
  ratioOf,
  together,
  totalOf,
  trafficMetrics,
  trafficOf,
  type Traffic,
} from '../fleet/traffic.ts'
import { amountOf, countOf, rateOf, shareOf } from '../format/number.ts'
import { chooseRange, chosenRange, ranges, windowOf, wordsOf } from '../fleet/range.ts'
import { Page } from '../layout/page.tsx'
import { Link } from '../router/link.tsx'
import { Answered } from '../ui/answered.tsx'
import { Choice } from '../ui/choice.tsx'
import { Card } from '../ui/card.tsx'
import { Figure } from '../ui/figure.tsx'
import { Empty } from '../ui/state.tsx'
import { Table } from '../ui/table.tsx'
import { edgeColumns, type Row } from './overview-columns.tsx'
import './overview.css'

export function Overview() {
  const edges = useAnswer('edges', (signal) => api.edges(signal), { everyMs: 2_000 })
  const range = chosenRange()
  const history = useAnswer(
    `traffic ${range}`,
    (signal) => api.history({ metrics: trafficMetrics, ...windowOf(range), groupBy: 'edge' }, signal),
    { everyMs: 10_000 },
  )
  const byEdge = history.data ? trafficOf(history.data) : new Map<string, Traffic>()
  return (
    <Page
      title="Overview"
      about={`Figures of the last ${wordsOf(range)}; states as of the last heartbeat.`}
      actions={<Choice label="How far back" values={ranges} chosen={range} onChoice={chooseRange} />}
    >
      <Answered answer={edges}>
        {({ edges: all }) =>
          all.length === 0 ? (
            <section class="card">
              <Empty title="No edge has joined yet">
                Start one with <code>fleet.servers</code> in its file set to the NATS server that control
                uses; it appears here within seconds.
              </Empty>
            </section>
          ) : (
            <>
              <Findings found={findingsOf(all, new Date())} all={all} />
              <Figures all={all} traffic={together([...byEdge.values()])} />
              <div class="regions">
                {regionsOf(all).map(([region, own]) => (
                  <Region key={region} region={region} edges={own} byEdge={byEdge} />
                ))}
              </div>
            </>
          )
        }
      </Answered>
    </Page>
  )
}

const regionsOf = (edges: readonly EdgeView[]) => [...Map.groupBy(edges, ({ region }) => region)]

function Findings({ found, all }: { found: readonly Finding[]; all: readonly EdgeView[] }) {
  if (found.length === 0)
    return (
      <p class="all-well">
        {all.length === 1 ? 'The edge serves' : `All ${all.length} edges serve`}, with the configuration they
        should have.
      </p>
    )
  return (
    <section class="findings card" aria-label="What is wrong">
      <ul>
        {found.map(({ edge, tone, text }) => (
          <li key={`${edge} ${text}`} class={tone}>
            <Link href={`/edges/${encodeURIComponent(edge)}`}>{edge}</Link> {text}
          </li>
        ))}
      </ul>
    </section>
  )
}

function Figures({ all, traffic: fleet }: { all: readonly EdgeView[]; traffic: Traffic }) {
  const sum = (of: (edge: EdgeView) => number) =>
    all.filter(({ state }) => state !== 'silent').reduce((total, edge) => total + of(edge), 0)
  const serving = all.filter(({ state }) => state === 'serving').length
  return (
    <dl class="figures">
      <Figure
        title="Sessions a second"
        value={rateOf(currentOf(fleet.sessions))}
        remark={`${amountOf(
          sum(({ connections }) => connections.clients),
          'client',
        )} connected now`}
        values={fleet.sessions}
      />
      <Figure
        title="Reuse ratio"
        value={shareOf(totalOf(fleet.reuses), totalOf(fleet.logins))}
        remark="of logins found a warm connection"
        values={ratioOf(fleet)}
        max={100}
      />
      <Figure
        title="Logins avoided"
        value={countOf(totalOf(fleet.reuses))}
        remark={`of ${countOf(totalOf(fleet.logins))} logins`}
        values={fleet.reuses}
      />
      <Figure
        title="Warm connections"
        value={countOf(sum(({ connections }) => connections.cached))}
        remark={`${countOf(sum(({ connections }) => connections.active))} in use; ${serving} of ${all.length} edges serve`}
        values={fleet.warm}
      />
    </dl>
  )
}

interface RegionProps {
  region: string
  edges: readonly EdgeView[]
  byEdge: ReadonlyMap<string, Traffic>
}

function Region({ region, edges, byEdge }: RegionProps) {
  const rows: Row[] = edges.map((edge) => ({ edge, traffic: byEdge.get(edge.id) ?? noTraffic }))
  const all = together(rows.map((row) => row.traffic))
  return (
    <Card
      title={region}
      about={`${amountOf(edges.length, 'edge')} · ${rateOf(currentOf(all.sessions))} sessions/s · ${shareOf(totalOf(all.reuses), totalOf(all.logins))} reused · ${countOf(totalOf(all.reuses))} logins avoided`}
    >
      <Table caption={`Edges in ${region}`} columns={edgeColumns} rows={rows} keyOf={({ edge }) => edge.id} />
    </Card>
  )
}
