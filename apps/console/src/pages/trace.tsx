/** One trace: live lines, or stored lines. */
import type { PathParams, TraceView } from '@imapfleet/api'
import { useState } from 'preact/hooks'
import { call, sentenceOf } from '../api/client.ts'
import { useAnswer } from '../api/use-answer.ts'
import { compareNames } from '../fleet/compare-names.ts'
import { useLiveTrace, type LiveTrace } from '../fleet/live-trace.ts'
import { amountOf } from '../format/number.ts'
import { clockOf } from '../format/time.ts'
import { Page } from '../layout/page.tsx'
import { PageLink } from '../router/link.tsx'
import { Answered } from '../ui/answered.tsx'
import { Badge, type Tone } from '../ui/badge.tsx'
import { Card } from '../ui/card.tsx'
import { Field } from '../ui/field.tsx'
import { Moment } from '../ui/moment.tsx'
import { Note } from '../ui/note.tsx'
import { Empty, Loading } from '../ui/state.tsx'
import { tell } from '../ui/toast.tsx'
import { TraceLines } from './trace-lines.tsx'
import { isRunning } from './traces.tsx'
import './trace.css'

export function Trace({ id = '' }: PathParams) {
  const answer = useAnswer(`trace ${id}`, (signal) => call('readTrace', { params: { id }, signal }), {
    everyMs: 10_000,
  })
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
          <PageLink class="button" href="/trace">
            All traces
          </PageLink>
        </>
      }
    >
      <Answered answer={answer}>{(trace) => <Lines trace={trace} />}</Answered>
    </Page>
  )
}

const About = ({ trace }: { trace: TraceView }) => (
  <>
    Started by {trace.createdBy}, {isRunning(trace) ? 'until' : 'ended'}{' '}
    <Moment at={trace.endedAt ?? trace.expiresAt} />;{' '}
    {trace.bodies ? 'with message bodies.' : 'without message bodies.'}
  </>
)

function Stop({ id, onStopped }: { id: string; onStopped: () => void }) {
  const stop = async () => {
    try {
      await call('endTrace', { params: { id } })
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
  const [heldAt, setHeldAt] = useState<number>()
  const text = wanted.trim().toLowerCase()
  const shown = live.lines.filter((line) =>
    `${line.edge} ${line.session} ${line.from}: ${line.text}`.toLowerCase().includes(text),
  )
  const count = live.lines.at(-1)?.number ?? 0
  const setFollowing = (isFollowing: boolean) => setHeldAt(isFollowing ? undefined : count)
  return (
    <Card title="Lines" about={<Parts live={live} />} actions={<State live={live} />}>
      <div class="trace-tools filters">
        <Field label="Filter" value={wanted} onValue={setWanted} placeholder="FETCH, or a session" isSearch />
        {text !== '' && (
          <button type="button" class="button quiet" onClick={() => setWanted('')}>
            Clear
          </button>
        )}
        <label>
          <input
            type="checkbox"
            checked={heldAt === undefined}
            onChange={(event) => setFollowing(event.currentTarget.checked)}
          />{' '}
          Follow
        </label>
        {heldAt !== undefined && count > heldAt && (
          <button type="button" class="button small" onClick={() => setFollowing(true)}>
            {amountOf(count - heldAt, 'new line')} ↓
          </button>
        )}
      </div>
      <Remarks live={live} />
      {shown.length === 0 ? (
        <Nothing live={live} isFiltered={text !== '' && live.lines.length > 0} />
      ) : (
        <TraceLines
          lines={shown}
          isFollowing={heldAt === undefined}
          onFollow={setFollowing}
          onSession={setWanted}
        />
      )}
    </Card>
  )
}

function Remarks({ live: { state, since, problem, dropped } }: { live: LiveTrace }) {
  return (
    <div class="trace-remarks" role="status">
      {state === 'lost' && (
        <Note tone="warn">
          Connection lost at {clockOf(since ?? new Date())}, reconnecting. Lines sent meanwhile will follow.
        </Note>
      )}
      {state === 'refused' && <Note tone="bad">{sentenceOf(problem)}</Note>}
      {dropped > 0 && (
        <Note tone="warn">
          {amountOf(dropped, 'earlier line')} not shown: download the trace to see all lines.
        </Note>
      )}
    </div>
  )
}

function Nothing({ live: { state }, isFiltered }: { live: LiveTrace; isFiltered: boolean }) {
  if (isFiltered) return <Empty title="No lines match">Clear the filter to see all lines.</Empty>
  if (state === 'refused') return null
  if (state === 'connecting') return <Loading />
  return state === 'ended' ? (
    <Empty title="No lines">
      {' '}
      The user’s client sent nothing during the trace, or the lines have been deleted.
    </Empty>
  ) : (
    <Empty title="No lines yet"> Lines appear when the user’s client sends something on any edge.</Empty>
  )
}

const states = {
  connecting: ['still', 'connecting'],
  live: ['good', 'live'],
  lost: ['bad', 'reconnecting'],
  ended: ['still', 'ended'],
  refused: ['bad', 'refused'],
} as const satisfies Record<LiveTrace['state'], readonly [Tone, string]>

function State({ live }: { live: LiveTrace }) {
  const [tone, words] = states[live.state]
  return <Badge tone={tone}>{words}</Badge>
}

function Parts({ live }: { live: LiveTrace }) {
  const edges = [...live.edges.values()].sort((one, other) => compareNames(one.edge, other.edge))
  const tracing = edges.filter(({ state }) => state === 'tracing')
  const ended = edges.filter(({ state }) => state === 'ended')
  if (live.edges.size === 0) return <>No edge has started to trace yet.</>
  return (
    <>
      {tracing.length > 0 && `${tracing.map(({ edge }) => edge).join(', ')} tracing. `}
      {ended.map(({ edge, reason }) => `${edge} stopped tracing (${reason ?? 'done'}). `)}
    </>
  )
}
