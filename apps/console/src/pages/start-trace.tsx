/** Begins a trace of one user or several, and goes to the first. */
import { useState } from 'preact/hooks'
import { api } from '../api/api.ts'
import { session } from '../api/session.ts'
import { navigate } from '../router/location.ts'
import { ConfirmDialog } from '../ui/confirm-dialog.tsx'
import { Field } from '../ui/field.tsx'
import './trace.css'

const durations = { '1 minute': 60, '10 minutes': 600, '1 hour': 3_600, '24 hours': 86_400 } as const
const limits = { '1 MiB': 1_048_576, '16 MiB': 16_777_216, '256 MiB': 268_435_456 } as const

export function StartTrace({ onClose }: { onClose: () => void }) {
  const [users, setUsers] = useState('')
  const [seconds, setSeconds] = useState<number>(durations['10 minutes'])
  const [bytesMax, setBytesMax] = useState<number>(limits['16 MiB'])
  const [bodies, setBodies] = useState(false)
  const who = session.value.state === 'in' ? session.value.who : undefined
  const mayAskForBodies = who?.scopes.includes('trace-bodies') ?? false
  const named = [...new Set(users.split(/[\s,]+/).filter((user) => user !== ''))]
  return (
    <ConfirmDialog
      title="Trace a user"
      action="Start"
      isComplete={named.length > 0}
      onConfirm={async () => {
        const begun = []
        for (const user of named) begun.push(await api.startTrace({ user, seconds, bytesMax, bodies }))
        navigate(begun.length === 1 ? `/trace/${begun[0]?.id}` : '/trace')
      }}
      onClose={onClose}
    >
      <div class="start-trace">
        <Field
          label="Login names"
          value={users}
          onValue={setUsers}
          placeholder="alice@example.org"
          autocomplete="off"
          hint="As the mail client sends them; several with spaces between."
        />
        <Selection label="For" values={durations} chosen={seconds} onChoice={setSeconds} />
        <Selection
          label="Until each edge has sent"
          values={limits}
          chosen={bytesMax}
          onChoice={setBytesMax}
        />
        <label>
          <input
            type="checkbox"
            checked={bodies}
            disabled={!mayAskForBodies}
            onChange={(event) => setBodies(event.currentTarget.checked)}
          />{' '}
          Message bodies too
          {!mayAskForBodies && <span class="soft"> (needs a token with the scope trace-bodies)</span>}
        </label>
        <p class="soft small">It ends by itself, and is in the audit log.</p>
      </div>
    </ConfirmDialog>
  )
}

function Selection({
  label,
  values,
  chosen,
  onChoice,
}: {
  label: string
  values: Readonly<Record<string, number>>
  chosen: number
  onChoice: (value: number) => void
}) {
  return (
    <label class="field">
      <span>{label}</span>
      <select
        class="input"
        value={String(chosen)}
        onChange={(event) => onChoice(Number(event.currentTarget.value))}
      >
        {Object.entries(values).map(([words, value]) => (
          <option key={words} value={String(value)}>
            {words}
          </option>
        ))}
      </select>
    </label>
  )
}
