/** Writes a revision: shows its changes and edges, asks for a note, and whether to roll out immediately or in waves. */
import type { RestoreRequest, RevisionStatus } from '@imapfleet/api'
import { useEffect, useState } from 'preact/hooks'
import { call, sentenceOf } from '../api/client.ts'
import { useCheck } from '../api/use-check.ts'
import { rolloutIn, usualRollout } from '../fleet/rollout-form.ts'
import { lockOf, readRolling } from '../fleet/rollout-lock.ts'
import { navigate } from '../router/location.ts'
import { Choice } from '../ui/choice.tsx'
import { ConfirmDialog } from '../ui/confirm-dialog.tsx'
import { Field } from '../ui/field.tsx'
import { Note } from '../ui/note.tsx'
import { Plan } from './plan.tsx'
import { RolloutFields } from './rollout-fields.tsx'

interface WriteProps {
  title: string
  /** The base revision; undefined: the newest. */
  base?: number
  /** Also called for a dry run, which returns the plan. */
  make: (how: RestoreRequest, signal?: AbortSignal) => Promise<RevisionStatus>
  onWritten?: () => void
  onClose: () => void
}

const ways = ['immediately', 'in waves'] as const
/** Until a layer that a rollout locks is checked again. */
const lockedMs = 5_000

export function WriteRevision({ title, base, make, onWritten, onClose }: WriteProps) {
  const [note, setNote] = useState('')
  const [way, setWay] = useState<(typeof ways)[number]>('immediately')
  const [form, setForm] = useState(usualRollout)
  const isInWaves = way === 'in waves'
  // The edges of the last plan. There is none while a canary is refused.
  const [edges, setEdges] = useState<RevisionStatus['edges']>()
  const rollout = isInWaves ? rolloutIn(form, edges) : undefined
  const how = { ...(rollout && { rollout }) }
  const isReady = !isInWaves || rollout !== undefined
  const [turn, setTurn] = useState(0)
  const check = useCheck(isReady ? JSON.stringify([base, how, turn]) : undefined, async (signal) => {
    const [status, rolling] = await Promise.all([
      make({ ...how, dryRun: true }, signal),
      readRolling(call, signal),
    ])
    return { status, locked: lockOf(rolling, status.revision.layer, { inWaves: isInWaves }) }
  })
  const plan = check.data?.status
  const locked = check.data?.locked
  if (plan && plan.edges !== edges) setEdges(plan.edges)
  useEffect(() => {
    if (locked === undefined) return undefined
    const timer = setTimeout(() => setTurn(turn + 1), lockedMs)
    return () => clearTimeout(timer)
  }, [check.data])
  return (
    <ConfirmDialog
      title={title}
      action="Write"
      isComplete={plan !== undefined && locked === undefined && plan.revision.changes.length > 0}
      onConfirm={async () => {
        // Based on the revision of the plan on screen, so that exactly this plan is written.
        const seen = (plan?.revision.revision ?? 1) - 1
        const { revision } = await make({ note, ...how, base: seen }).catch((error: unknown) => {
          if (base === undefined) setTurn(turn + 1)
          throw error
        })
        onWritten?.()
        navigate(`/config/${revision.revision}`)
      }}
      onClose={onClose}
    >
      <div class="write-revision">
        <Field label="Note" value={note} onValue={setNote} hint="The reason, for the history." />
        <Choice label="Rollout" values={ways} chosen={way} onChoice={setWay} />
        {isInWaves && <RolloutFields form={form} onForm={setForm} edges={edges} />}
        <div class="plan" role="status">
          {check.problem ? (
            <Note tone="bad">{sentenceOf(check.problem)}</Note>
          ) : locked === undefined ? (
            plan && <Plan status={plan} />
          ) : (
            <Note tone="warn">{locked}</Note>
          )}
        </div>
      </div>
    </ConfirmDialog>
  )
}
