/** Writes a revision: why, and whether all edges take it at once or in waves. */
import type { RevisionStatus, RolloutRequest } from '@imapfleet/protocol'
import { useState } from 'preact/hooks'
import { navigate } from '../router/location.ts'
import { ConfirmDialog } from '../ui/confirm-dialog.tsx'
import { Field } from '../ui/field.tsx'

interface WriteProps {
  title: string
  write: (how: { note: string; rollout?: RolloutRequest }) => Promise<RevisionStatus>
  onClose: () => void
}

const listIn = (text: string) => text.split(/[\s,]+/).filter((word) => word !== '')

export function WriteRevision({ title, write, onClose }: WriteProps) {
  const [note, setNote] = useState('')
  const [isInWaves, setInWaves] = useState(false)
  const [typed, setTyped] = useState({ canary: '', percent: '0', regions: '', soak: '30' })
  const field = (key: keyof typeof typed, label: string, hint: string) => (
    <Field
      label={label}
      value={typed[key]}
      hint={hint}
      onValue={(value) => setTyped({ ...typed, [key]: value })}
    />
  )
  const rollout: RolloutRequest = {
    canaryEdges: listIn(typed.canary),
    canaryPercent: Number(typed.percent),
    regions: listIn(typed.regions),
    soakSeconds: Number(typed.soak),
  }
  return (
    <ConfirmDialog
      title={title}
      action="Write"
      onConfirm={async () => {
        const { revision } = await write({ note, ...(isInWaves && { rollout }) })
        navigate(`/config/${revision.revision}`)
      }}
      onClose={onClose}
    >
      <div class="write-revision">
        <Field label="Why" value={note} onValue={setNote} hint="For whoever wonders later." />
        <fieldset class="row">
          <legend class="unseen">How</legend>
          <label>
            <input type="radio" name="how" checked={!isInWaves} onChange={() => setInWaves(false)} /> all at
            once
          </label>
          <label>
            <input type="radio" name="how" checked={isInWaves} onChange={() => setInWaves(true)} /> in waves
          </label>
        </fieldset>
        {isInWaves && (
          <>
            {field('canary', 'First these edges', 'Names with spaces between; may be empty.')}
            {field('percent', 'And so many of a hundred', 'Chosen among the others; 0: none.')}
            {field('regions', 'Then these regions', 'In this order; the others follow by name.')}
            {field(
              'soak',
              'Watch each wave for so many seconds',
              'It goes back by itself if edges refuse it, fall silent, or fail more.',
            )}
          </>
        )}
      </div>
    </ConfirmDialog>
  )
}
