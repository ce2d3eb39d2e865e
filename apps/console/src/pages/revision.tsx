/** One revision: its changes, its progress, and its rollout by wave. */
import { isRevision, layerText, type PathParams, type RevisionStatus, type RolloutView } from '@imapfleet/api'
import { useState } from 'preact/hooks'
import { ProblemError } from '@imapfleet/client'
import { call } from '../api/client.ts'
import { useAnswer } from '../api/use-answer.ts'
import { worstFirst } from '../fleet/worst-first.ts'
import { Page } from '../layout/page.tsx'
import { PageLink } from '../router/link.tsx'
import { Answered } from '../ui/answered.tsx'
import { Card } from '../ui/card.tsx'
import { Moment } from '../ui/moment.tsx'
import { Empty } from '../ui/state.tsx'
import { Table } from '../ui/table.tsx'
import { Difference } from './difference.tsx'
import { NotFound } from './not-found.tsx'
import { RevisionState } from './revisions.tsx'
import { Rollout } from './rollout.tsx'
import { StatusBadge } from './status-badge.tsx'
import { WriteRevision } from './write-revision.tsx'
import { mayCall } from '../api/rights.ts'
import './config.css'

const watchMs = 1_000
/** The revision has reached its final state. */
const settledMs = 15_000

interface Progress {
  status: RevisionStatus
  rollout: RolloutView | undefined
}

function pauseMs({ status, rollout }: Progress): number {
  const isSettled = rollout
    ? rollout.finishedAt !== null
    : status.edges.every(({ status: each }) => each !== 'pending')
  return isSettled ? settledMs : watchMs
}

/** Another text, such as `1e3`, is no number of a revision. */
export const Revision = ({ revision: text = '' }: PathParams) =>
  isRevision(text) ? <Numbered revision={Number(text)} /> : <NotFound />

function Numbered({ revision }: { revision: number }) {
  const answer = useAnswer(
    `revision ${revision}`,
    async (signal) => {
      const [status, rollout] = await Promise.all([
        call('readRevision', { params: { revision }, signal }),
        // Most revisions are not rolled out in waves.
        call('readRollout', { params: { revision }, signal }).catch((error: unknown) => {
          if (error instanceof ProblemError && error.status === 404) return undefined
          throw error
        }),
      ])
      return { status, rollout }
    },
    { everyMs: pauseMs },
  )
  const [returning, setReturning] = useState<'undo' | 'restore'>()
  const state = answer.data?.status.revision.state
  return (
    <Page
      title={`Revision ${revision}`}
      about={answer.data && <About status={answer.data.status} />}
      actions={
        <>
          {answer.data && mayCall('undoRevision') && (state === undefined || state === 'released') && (
            <button type="button" class="button" onClick={() => setReturning('undo')}>
              Undo …
            </button>
          )}
          {answer.data && mayCall('restoreRevision') && (
            <button type="button" class="button" onClick={() => setReturning('restore')}>
              Restore …
            </button>
          )}
          <PageLink class="button" href="/config">
            Config
          </PageLink>
        </>
      }
    >
      {returning && (
        <WriteRevision
          title={
            returning === 'undo'
              ? `Undo revision ${revision}`
              : `Restore the layer to its state after revision ${revision}`
          }
          make={(how, signal) =>
            call(returning === 'undo' ? 'undoRevision' : 'restoreRevision', {
              params: { revision },
              body: how,
              signal,
            })
          }
          onClose={() => setReturning(undefined)}
        />
      )}
      <Answered answer={answer}>
        {({ status, rollout }) => (
          <>
            {rollout && <Rollout rollout={rollout} onSteered={answer.reload} />}
            <Card title="Changes" actions={<RevisionState {...stateOf(status)} />}>
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

const Edges = ({ status: { edges } }: { status: RevisionStatus }) => (
  <Card title="Edges">
    {edges.length === 0 ? (
      <Empty title="No edges">Edges that join this layer later will apply the revision.</Empty>
    ) : (
      <Table
        caption="Edges of this revision"
        rows={worstFirst(edges)}
        keyOf={({ id }) => id}
        columns={[
          {
            title: 'Edge',
            kind: 'head',
            cell: ({ id }) => <PageLink href={`/edges/${encodeURIComponent(id)}`}>{id}</PageLink>,
          },
          { title: 'Region', kind: 'fixed', cell: ({ region }) => region },
          { title: 'Status', kind: 'fixed', cell: ({ status }) => <StatusBadge status={status} /> },
          { title: 'Answer', kind: 'wide', cell: ({ reason }) => reason },
        ]}
      />
    )}
  </Card>
)
