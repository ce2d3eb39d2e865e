/** One revision: what it changes, how far it has come, and its rollout wave by wave. */
import type { RevisionStatus, RolloutView } from '@imapfleet/protocol'
import { useState } from 'preact/hooks'
import { api } from '../api/api.ts'
import { Refusal, sentenceOf } from '../api/problem.ts'
import { useAnswer } from '../api/use-answer.ts'
import { layerText } from '../fleet/layer.ts'
import { Page } from '../layout/page.tsx'
import { Link } from '../router/link.tsx'
import type { Params } from '../router/match.ts'
import { Answered } from '../ui/answered.tsx'
import { Badge, type Tone } from '../ui/badge.tsx'
import { Card } from '../ui/card.tsx'
import { Moment } from '../ui/moment.tsx'
import { Note } from '../ui/note.tsx'
import { Empty } from '../ui/state.tsx'
import { Table } from '../ui/table.tsx'
import { tell } from '../ui/toast.tsx'
import { Difference } from './difference.tsx'
import { RevisionState } from './revisions.tsx'
import { WriteRevision } from './write-revision.tsx'
import './config.css'

const watchMs = 1_000

export function Revision({ revision: text = '' }: Params) {
  const revision = Number(text)
  const answer = useAnswer(
    `revision ${text}`,
    async (signal) => {
      const [status, rollout] = await Promise.all([
        api.revision(revision, signal),
        // Most revisions are no rollouts.
        api.rollout(revision, signal).catch((error: unknown) => {
          if (error instanceof Refusal && error.details.status === 404) return undefined
          throw error
        }),
      ])
      return { status, rollout }
    },
    { everyMs: watchMs },
  )
  const [isRestoring, setRestoring] = useState(false)
  return (
    <Page
      title={`Revision ${text}`}
      about={answer.data && <About status={answer.data.status} />}
      actions={
        <>
          <button type="button" class="button" onClick={() => setRestoring(true)}>
            Go back to this …
          </button>
          <Link class="button" href="/config">
            Config
          </Link>
        </>
      }
    >
      {isRestoring && (
        <WriteRevision
          title={`Make its layer again what it was after revision ${text}`}
          write={(how) => api.restore(revision, how)}
          onClose={() => setRestoring(false)}
        />
      )}
      <Answered answer={answer}>
        {({ status, rollout }) => (
          <>
            {rollout && <Rollout rollout={rollout} onSteered={answer.reload} />}
            <Card title="What it changes" actions={<RevisionState {...stateOf(status)} />}>
              <div class="card-body">
                <Difference changes={status.revision.changes} />
              </div>
            </Card>
            {!rollout && <Edges status={status} />}
          </>
        )}
      </Answered>
    </Page>
  )
}

const stateOf = ({ revision: { state } }: RevisionStatus) => (state ? { state } : {})

const About = ({ status: { revision } }: { status: RevisionStatus }) => (
  <>
    {layerText(revision.layer)}, by {revision.createdBy}, <Moment at={revision.createdAt} />
    {revision.note && `: ${revision.note}`}
  </>
)

const tones: Record<string, Tone> = {
  applied: 'good',
  rejected: 'bad',
  silent: 'warn',
  skipped: 'warn',
  current: 'accent',
  done: 'good',
  running: 'accent',
  completed: 'good',
  paused: 'warn',
  'rolled-back': 'bad',
  aborted: 'bad',
}
const StatusBadge = ({ status }: { status: string }) => (
  <Badge tone={tones[status] ?? 'still'}>{status}</Badge>
)

const Edges = ({ status: { edges } }: { status: RevisionStatus }) => (
  <Card title="Edge by edge">
    {edges.length === 0 ? (
      <Empty title="No edge is meant">It counts for edges that come later.</Empty>
    ) : (
      <Table
        caption="Edges of this revision"
        rows={edges}
        keyOf={({ id }) => id}
        columns={[
          {
            title: 'Edge',
            kind: 'head',
            cell: ({ id }) => <Link href={`/edges/${encodeURIComponent(id)}`}>{id}</Link>,
          },
          { title: 'Region', kind: 'fixed', cell: ({ region }) => region },
          { title: 'Status', kind: 'fixed', cell: ({ status }) => <StatusBadge status={status} /> },
          { title: 'Said', kind: 'wide', cell: ({ reason }) => reason },
        ]}
      />
    )}
  </Card>
)

function Rollout({ rollout, onSteered }: { rollout: RolloutView; onSteered: () => void }) {
  const { state, reason, revision, waves, undoneBy } = rollout
  const steer = async (steering: 'pause' | 'resume' | 'abort') => {
    try {
      await api.steerRollout(revision, steering)
    } catch (error) {
      tell('bad', sentenceOf(error))
    }
    onSteered()
  }
  const button = (steering: 'pause' | 'resume' | 'abort', title: string) => (
    <button
      type="button"
      class={steering === 'abort' ? 'button danger' : 'button'}
      onClick={() => void steer(steering)}
    >
      {title}
    </button>
  )
  return (
    <Card
      title={
        <>
          Rollout <StatusBadge status={state} />
        </>
      }
      actions={
        <>
          {state === 'running' && button('pause', 'Pause')}
          {state === 'paused' && button('resume', 'Resume')}
          {(state === 'running' || state === 'paused') && button('abort', 'Take it back')}
        </>
      }
    >
      {reason !== null && (
        <div class="card-body">
          <Note tone="bad">
            {reason}
            {undoneBy !== null && (
              <>
                {' '}
                It was taken back by <Link href={`/config/${undoneBy}`}>revision {undoneBy}</Link>.
              </>
            )}
          </Note>
        </div>
      )}
      <ol class="waves" aria-label="Waves">
        {waves.map(({ name, state: wave, edges }) => (
          <li key={name}>
            <div class="row">
              <strong>{name}</strong> <StatusBadge status={wave} />
            </div>
            <ul class="row">
              {edges.map(({ id, status }) => (
                <li key={id} class="row">
                  <Link href={`/edges/${encodeURIComponent(id)}`}>{id}</Link> <StatusBadge status={status} />
                </li>
              ))}
            </ul>
          </li>
        ))}
      </ol>
    </Card>
  )
}
