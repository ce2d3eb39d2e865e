/** Starts traces of one or more users, and opens the first. */
import type { TraceView } from '@imapfleet/api'
import { useState } from 'preact/hooks'
import { call } from '../api/client.ts'
import { session } from '../api/session.ts'
import { TraceStarts } from '../fleet/trace-starts.ts'
import { PageLink } from '../router/link.tsx'
import { navigate } from '../router/location.ts'
import { ConfirmDialog } from '../ui/confirm-dialog.tsx'
import { Field } from '../ui/field.tsx'
import { Note } from '../ui/note.tsx'
import { Select } from '../ui/select.tsx'
import './trace.css'

const durations = [
  ['60', '1 minute'],
  ['600', '10 minutes'],
  ['3600', '1 hour'],
  ['86400', '24 hours'],
] as const
const limits = [
  ['1048576', '1 MiB'],
  ['16777216', '16 MiB'],
  ['268435456', '256 MiB'],
] as const

export function StartTrace({ user, onClose }: { user: string; onClose: () => void }) {
  const [users, setUsers] = useState(user)
  const [seconds, setSeconds] = useState<string>('600')
  const [bytesMax, setBytesMax] = useState<string>('16777216')
  const [bodies, setBodies] = useState(false)
  const [starts] = useState(
    () => new TraceStarts((body, idempotencyKey) => call('startTrace', { body, idempotencyKey })),
  )
  const started = starts.started.value
  const who = session.value.state === 'in' ? session.value.who : undefined
  const mayAskForBodies = who?.scopes.includes('trace-bodies') ?? false
  const named = [...new Set(users.split(/[\s,]+/).filter((word) => word !== ''))]
  const asked = (each: string) => ({
    user: each,
    bodies,
    seconds: Number(seconds),
    bytesMax: Number(bytesMax),
  })
  return (
    <ConfirmDialog
      title="Trace a user"
      action="Start"
      isComplete={named.length > 0}
      onConfirm={async () => {
        await starts.start(named.map(asked))
        const [first, second] = starts.started.value
        navigate(first && !second ? `/trace/${first.id}` : '/trace')
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
          hint="As the mail client sends them. Separate several names by spaces."
        />
        <Select label="Duration" options={durations} chosen={seconds} onChoice={setSeconds} />
        <Select label="Output limit of each edge" options={limits} chosen={bytesMax} onChoice={setBytesMax} />
        <label>
          <input
            type="checkbox"
            checked={bodies}
            disabled={!mayAskForBodies}
            onChange={(event) => setBodies(event.currentTarget.checked)}
          />{' '}
          Include message bodies
          {!mayAskForBodies && <span class="soft"> (needs a token with the scope trace-bodies)</span>}
        </label>
        {started.length > 0 && <Started traces={started} />}
        <p class="soft small">The trace ends automatically. The audit log records it.</p>
      </div>
    </ConfirmDialog>
  )
}

/** Shown if another trace could not be started. */
const Started = ({ traces }: { traces: readonly TraceView[] }) => (
  <Note tone="good">
    Already being traced:{' '}
    {traces.map(({ id, user }, index) => (
      <>
        {index > 0 && ', '}
        <PageLink href={`/trace/${id}`}>{user}</PageLink>
      </>
    ))}
    . Start starts the others.
  </Note>
)
