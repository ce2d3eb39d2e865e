/** A rollout by wave, with buttons to pause, resume and abort it. */
import type { RolloutView } from '@imapfleet/api'
import { useState } from 'preact/hooks'
import { call, sentenceOf } from '../api/client.ts'
import { nextStepOf } from '../fleet/rollout-judgement.ts'
import { worstFirst } from '../fleet/worst-first.ts'
import { amountOf } from '../format/number.ts'
import { durationOf } from '../format/time.ts'
import { PageLink } from '../router/link.tsx'
import { Bar } from '../ui/bar.tsx'
import { Card } from '../ui/card.tsx'
import { ConfirmDialog } from '../ui/confirm-dialog.tsx'
import { Note } from '../ui/note.tsx'
import { tell } from '../ui/toast.tsx'
import { RolloutFigures } from './rollout-figures.tsx'
import { StatusBadge } from './status-badge.tsx'
import { mayCall } from '../api/rights.ts'

interface RolloutProps {
  rollout: RolloutView
  onSteered: () => void
}

export function Rollout({ rollout, onSteered }: RolloutProps) {
  const { state, reason, waves, undoneBy, settings, finishedAt } = rollout
  const next = nextStepOf(rollout)
  return (
    <Card
      title={
        <>
          Rollout <StatusBadge status={state} />
        </>
      }
      about={`Each wave is watched for ${durationOf((settings.soakSeconds ?? 0) * 1000)} after its edges have applied the revision.`}
      actions={<Steering rollout={rollout} onSteered={onSteered} />}
    >
      {reason !== null && (
        <div class="card-body">
          <Note tone="bad">
            {reason.replace(/\.?$/, '.')}
            {undoneBy !== null && (
              <>
                {' '}
                It was rolled back by <PageLink href={`/config/${undoneBy}`}>revision {undoneBy}</PageLink>.
              </>
            )}
          </Note>
        </div>
      )}
      {next !== undefined && (
        <p class="card-body next-step" role="timer">
          {next}
        </p>
      )}
      <RolloutFigures rollout={rollout} />
      <ol class="waves" aria-label="Waves">
        {waves.map((wave) => (
          <Wave key={wave.name} wave={wave} isOver={finishedAt !== null} />
        ))}
      </ol>
    </Card>
  )
}

function Steering({ rollout: { revision, state }, onSteered }: RolloutProps) {
  const [isAborting, setAborting] = useState(false)
  const steer = async (steering: 'pause' | 'resume') => {
    try {
      await call('steerRollout', { params: { revision, steering } })
    } catch (error) {
      tell('bad', sentenceOf(error))
    }
    onSteered()
  }
  if ((state !== 'running' && state !== 'paused') || !mayCall('steerRollout')) return null
  return (
    <>
      {state === 'running' ? (
        <button type="button" class="button" onClick={() => void steer('pause')}>
          Pause
        </button>
      ) : (
        <button type="button" class="button primary" onClick={() => void steer('resume')}>
          Resume
        </button>
      )}
      <button type="button" class="button danger" onClick={() => setAborting(true)}>
        Abort
      </button>
      {isAborting && (
        <ConfirmDialog
          title={`Abort the rollout of revision ${revision}?`}
          action="Abort"
          isDangerous
          onConfirm={async () => {
            await call('steerRollout', { params: { revision, steering: 'abort' } })
            onSteered()
          }}
          onClose={() => setAborting(false)}
        >
          A new revision restores the previous state of the layer. Edges that applied this revision change
          back immediately.
        </ConfirmDialog>
      )}
    </>
  )
}

/** Other edges are shown as a number. */
const namedMax = 24

function Wave({ wave, isOver }: { wave: RolloutView['waves'][number]; isOver: boolean }) {
  const { name, state, edges } = wave
  const applied = edges.filter(({ status }) => status === 'applied').length
  const rest = edges.length - namedMax
  return (
    <li>
      <div class="row">
        <strong>{name}</strong> <StatusBadge status={isOver && state === 'current' ? 'stopped' : state} />
        <span class="soft small">
          {applied} of {amountOf(edges.length, 'edge')}
        </span>
      </div>
      <Bar
        label={`${applied} of ${amountOf(edges.length, 'edge')} applied it`}
        parts={[applied]}
        all={edges.length}
      />
      <ul class="row">
        {worstFirst(edges)
          .slice(0, namedMax)
          .map(({ id, status }) => (
            <li key={id} class="row">
              <PageLink href={`/edges/${encodeURIComponent(id)}`}>{id}</PageLink>
              {status !== 'waiting' && <StatusBadge status={status} />}
            </li>
          ))}
        {rest > 0 && <li class="soft">and {amountOf(rest, 'more edge')}</li>}
      </ul>
    </li>
  )
}
