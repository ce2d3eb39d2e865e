/** One trace: its lines as they come, or as they are kept. */
import type { TraceView } from '@imapfleet/protocol'
import { useState } from 'preact/hooks'
import { api } from '../api/api.ts'
import { sentenceOf } from '../api/problem.ts'
import { useAnswer } from '../api/use-answer.ts'
import { useLiveTrace, type LiveTrace } from '../fleet/live-trace.ts'
import { amountOf } from '../format/number.ts'
import { Page } from '../layout/page.tsx'
import { Link } from '../router/link.tsx'
import type { Params } from '../router/match.ts'
import { Answered } from '../ui/answered.tsx'
import { Badge } from '../ui/badge.tsx'
import { Card } from '../ui/card.tsx'
import { Field } from '../ui/field.tsx'
import { Empty } from '../ui/state.tsx'
import { tell } from '../ui/toast.tsx'
import { TraceLines } from './trace-lines.tsx'
import { isRunning } from './traces.tsx'
import './trace.css'

export function Trace({ id = '' }: Params) {
  const answer = useAnswer(`trace ${id}`, (signal) => api.trace(id, signal), { everyMs: 10_000 })
  return (
    <Page
      title={answer.data ? `Trace of ${answer.data.user}` : 'Trace'}
      about={answer.data && <About trace={answer.data} />}
      actions={
        <>
          {answer.data && isRunning(answer.data) && <Stop id={id} onStopped={answer.reload} />}
          <a
            class="button"
            href={`/v1/traces/${encodeURIComponent(id)}/lines`}
            download={`trace-${id}.jsonl`}
          >
            Download
          </a>
          <Link class="button" href="/trace">
            All traces
          </Link>
        </>
      }
    >
      <Answered answer={answer}>{(trace) => <Lines trace={trace} />}</Answered>
    </Page>
  )
}

const About = ({ trace }: { trace: TraceView }) => (
  <>
    Begun by {trace.createdBy}, {isRunning(trace) ? 'until' : 'ended'}{' '}
    {new Date(trace.endedAt ?? trace.expiresAt).toLocaleString('en-GB')};{' '}
    {trace.bodies ? 'with message bodies.' : 'message bodies as their length.'}
  </>
)

function Stop({ id, onStopped }: { id: string; onStopped: () => void }) {
  const stop = async () => {
    try {
      await api.endTrace(id)
      tell('good', 'The trace has ended.')
    } catch (error) {
      tell('bad', sentenceOf(error))
    }
    onStopped()
  }
  return (
    <button type="button" class="button danger" onClick={() => void stop()}>
      Stop
    </button>
  )
}

function Lines({ trace }: { trace: TraceView }) {
  const live = useLiveTrace(trace.id)
  const [wanted, setWanted] = useState('')
  const [isHeld, setHeld] = useState(false)
  const text = wanted.trim().toLowerCase()
  const shown = live.lines.filter((line) =>
    `${line.edge} ${line.session} ${line.from}: ${line.text}`.toLowerCase().includes(text),
  )
  return (
    <Card title="Lines" about={<Parts live={live} />} actions={<State live={live} trace={trace} />}>
      <div class="trace-tools filters">
        <Field label="Only lines with" value={wanted} onValue={setWanted} placeholder="FETCH, or a session" />
        <label>
          <input
            type="checkbox"
            checked={!isHeld}
            onChange={(event) => setHeld(!event.currentTarget.checked)}
          />{' '}
          Follow
        </label>
      </div>
      {live.dropped > 0 && (
        <p class="note">{amountOf(live.dropped, 'earlier line')} left out here: download it to see all.</p>
      )}
      {shown.length === 0 ? (
        <Empty title={text === '' ? 'Nothing has been said yet' : 'No line fits'}>
          {text === ''
            ? 'Lines come as soon as this user’s client says something.'
            : 'Clear the field above.'}
        </Empty>
      ) : (
        <TraceLines lines={shown} isFollowing={!isHeld && live.state !== 'ended'} />
      )}
    </Card>
  )
}

function State({ live, trace }: { live: LiveTrace; trace: TraceView }) {
  if (live.state === 'lost') return <Badge tone="bad">not live: connecting again</Badge>
  if (live.state === 'ended' || !isRunning(trace)) return <Badge tone="still">ended</Badge>
  return live.state === 'live' ? <Badge tone="good">live</Badge> : <Badge tone="still">connecting</Badge>
}

function Parts({ live }: { live: LiveTrace }) {
  const tracing = [...live.edges.values()].filter(({ state }) => state === 'tracing')
  const ended = [...live.edges.values()].filter(({ state }) => state === 'ended')
  if (live.edges.size === 0) return <>No edge has said anything of it yet.</>
  return (
    <>
      {tracing.length > 0 && `${tracing.map(({ edge }) => edge).join(', ')} tracing. `}
      {ended.map(({ edge, reason }) => `${edge} has ended its part (${reason ?? 'done'}). `)}
    </>
  )
}
