/** One edge: state, traffic and actions. */
import type { EdgeView, PathParams } from '@imapfleet/api'
import { call } from '../api/client.ts'
import { useAnswer } from '../api/use-answer.ts'
import { EdgeStateBadge } from '../fleet/edge-state.tsx'
import { historyAddress } from '../fleet/history-question.ts'
import { chooseRange, chosenRange, ranges } from '../fleet/range.ts'
import { durationOf } from '../format/time.ts'
import { Page } from '../layout/page.tsx'
import { PageLink } from '../router/link.tsx'
import { Answered } from '../ui/answered.tsx'
import { Choice } from '../ui/choice.tsx'
import { Card } from '../ui/card.tsx'
import { Facts } from '../ui/facts.tsx'
import { Moment } from '../ui/moment.tsx'
import { EdgeActions, ResumeEdge } from './edge-actions.tsx'
import { EdgeFindings } from './edge-findings.tsx'
import { FleetKeys } from './edge-fleet-keys.tsx'
import { EdgePool } from './edge-pool.tsx'
import { Refusals } from './edge-refusals.tsx'
import { EdgeTraffic } from './edge-traffic.tsx'
import { Upstreams } from './edge-upstreams.tsx'
import { WithRight } from '../ui/with-right.tsx'
import './edge.css'

export function EdgePage({ id = '' }: PathParams) {
  const answer = useAnswer(`edge ${id}`, (signal) => call('readEdge', { params: { id }, signal }), {
    everyMs: 2_000,
  })
  const edge = answer.data
  return (
    <Page
      title={id}
      about={edge && <About edge={edge} />}
      actions={
        edge && (
          <>
            <Choice label="Time range" values={ranges} chosen={chosenRange()} onChoice={chooseRange} />
            <ResumeEdge edge={edge} onDone={answer.reload} />
          </>
        )
      }
    >
      <Answered answer={answer}>
        {(shown) => (
          <>
            <Links edge={shown} />
            <Whole edge={shown} onDone={answer.reload} />
          </>
        )}
      </Answered>
    </Page>
  )
}

const About = ({ edge }: { edge: EdgeView }) => (
  <>
    <EdgeStateBadge edge={edge} /> in {edge.region}, version {edge.version}
  </>
)

const Links = ({ edge: { id, region } }: { edge: EdgeView }) => {
  const now = Date.now()
  const name = encodeURIComponent(id)
  return (
    <nav class="links" aria-label={`More about ${id}`}>
      <PageLink
        href={historyAddress(now - 21_600_000, now, { from: '-6h', to: '', edge: id, groupBy: 'edge' })}
      >
        History
      </PageLink>
      <PageLink href={`/alerts?edge=${name}`}>Alerts</PageLink>
      <WithRight to="listOrders">
        <PageLink href={`/orders?edge=${name}`}>Orders</PageLink>
      </WithRight>
      <WithRight to="listTraces">
        <PageLink href={`/trace?edge=${name}&region=${encodeURIComponent(region)}`}>Traces</PageLink>
      </WithRight>
      <PageLink href={`/config?layer=edge/${name}`}>Its configuration layer</PageLink>
      <PageLink href={`/?region=${encodeURIComponent(region)}`}>Edges of {region}</PageLink>
    </nav>
  )
}

const Whole = ({ edge, onDone }: { edge: EdgeView; onDone: () => void }) => (
  <>
    <EdgeFindings edge={edge} />
    <EdgeTraffic edge={edge} />
    <div class="two">
      <EdgePool edge={edge} />
      <Card title="Details">
        <div class="card-body">
          <Facts rows={factsOf(edge)} />
        </div>
      </Card>
    </div>
    <Upstreams edge={edge} onDone={onDone} />
    <FleetKeys edge={edge} />
    <EdgeActions edge={edge} onDone={onDone} />
    <Refusals edge={edge} />
  </>
)

function factsOf(edge: EdgeView) {
  const { wanted, applied, rejected } = edge.config
  const since = durationOf(Date.now() - Date.parse(edge.startedAt))
  return [
    ['Listens on', edge.listeners.length === 0 ? 'nothing' : <code>{edge.listeners.join(', ')}</code>],
    [
      'Configuration',
      applied === wanted ? `revision ${applied}` : `revision ${applied}, should be ${wanted}`,
    ],
    ...(rejected ? [['Refused', `revision ${rejected.revision}: ${rejected.reason}`] as const] : []),
    ['Drained', edge.drain ? 'yes: it refuses new clients' : 'no'],
    [
      'Started',
      <>
        <Moment at={edge.startedAt} />, {since} ago
      </>,
    ],
    ['Last heartbeat', <Moment at={edge.lastSeenAt} />],
    ['Clock', clockText(edge)],
    [
      'Version',
      `${edge.version}${edge.wireVersion === undefined ? '' : `, wire version ${edge.wireVersion}`}`,
    ],
    ['Credential', edge.credential ?? 'none of its own'],
    ['Boot', <code>{edge.boot.slice(0, 8)}</code>],
  ] as const
}

/** A difference of less than a second is not worth a number. */
function clockText({ clockSkewMs }: EdgeView): string {
  if (clockSkewMs === undefined || clockSkewMs === null) return 'unknown'
  if (Math.abs(clockSkewMs) < 1_000) return 'same as control'
  return `${durationOf(Math.abs(clockSkewMs))} ${clockSkewMs > 0 ? 'ahead of' : 'behind'}  control`
}
