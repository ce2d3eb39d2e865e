/** One edge: state, traffic and actions. */
import type { EdgeView } from '@imapfleet/api'
import { call } from '../api/client.ts'
import { useAnswer } from '../api/use-answer.ts'
import { EdgeStateBadge } from '../fleet/edge-state.tsx'
import { findingsOfEdge } from '../fleet/findings.ts'
import { chooseRange, chosenRange, ranges } from '../fleet/range.ts'
import { durationOf } from '../format/time.ts'
import { Page } from '../layout/page.tsx'
import type { Params } from '../router/match.ts'
import { Answered } from '../ui/answered.tsx'
import { Choice } from '../ui/choice.tsx'
import { Card } from '../ui/card.tsx'
import { Facts } from '../ui/facts.tsx'
import { Moment } from '../ui/moment.tsx'
import { Note } from '../ui/note.tsx'
import { EdgeActions } from './edge-actions.tsx'
import { EdgePool } from './edge-pool.tsx'
import { Refusals } from './edge-refusals.tsx'
import { EdgeTraffic } from './edge-traffic.tsx'
import { Upstreams } from './edge-upstreams.tsx'
import './edge.css'

export function EdgePage({ id = '' }: Params) {
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
            <EdgeActions edge={edge} onDone={answer.reload} />
          </>
        )
      }
    >
      <Answered answer={answer}>{(shown) => <Whole edge={shown} />}</Answered>
    </Page>
  )
}

const About = ({ edge }: { edge: EdgeView }) => (
  <>
    <EdgeStateBadge edge={edge} /> in {edge.region}, version {edge.version}
  </>
)

const Whole = ({ edge }: { edge: EdgeView }) => (
  <>
    {findingsOfEdge(edge, new Date()).map(({ tone, text }) => (
      <Note key={text} tone={tone}>
        This edge {text}
      </Note>
    ))}
    <EdgeTraffic edge={edge} />
    <div class="two">
      <EdgePool edge={edge} />
      <Card title="Details">
        <div class="card-body">
          <Facts rows={factsOf(edge)} />
        </div>
      </Card>
    </div>
    <Upstreams edge={edge} />
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
    ['Boot', <code>{edge.boot.slice(0, 8)}</code>],
  ] as const
}
