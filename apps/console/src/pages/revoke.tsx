/** Revokes a user or a domain. The name must be typed twice, because a revocation cannot be undone. */
import { useState } from 'preact/hooks'
import { call } from '../api/client.ts'
import { amountOf } from '../format/number.ts'
import { ConfirmDialog } from '../ui/confirm-dialog.tsx'
import { Field } from '../ui/field.tsx'
import { tell } from '../ui/toast.tsx'
import './revoke.css'

const kinds = ['user', 'domain'] as const

export function Revoke({ onDone, onClose }: { onDone: () => void; onClose: () => void }) {
  const [kind, setKind] = useState<(typeof kinds)[number]>('user')
  const [subject, setSubject] = useState('')
  const [note, setNote] = useState('')
  const named = subject.trim()
  return (
    <ConfirmDialog
      title="Revoke"
      {...(named === '' ? {} : { name: named })}
      action="Revoke"
      isDangerous
      isComplete={named !== ''}
      onConfirm={async () => {
        const { edges, operation } = await call('addRevocation', { body: { kind, subject: named, note } })
        const applied = edges.filter(({ status }) => status === 'applied').length
        onDone()
        if (operation)
          return tell('good', `${named} is being revoked region by region. See Orders for the progress.`)
        tell(
          'good',
          `${named} is revoked; ${amountOf(applied, 'edge')} of ${edges.length} applied it so far.`,
        )
      }}
      onClose={onClose}
    >
      <div class="revoke">
        <p>
          Every edge stops reusing the server connections, so the mail server checks the password again at the
          next login. Open sessions continue until you kick the user.
        </p>
        <fieldset class="row">
          <legend class="unseen">Target</legend>
          {kinds.map((each) => (
            <label key={each}>
              <input type="radio" name="kind" checked={kind === each} onChange={() => setKind(each)} />{' '}
              {each === 'user' ? 'one user' : 'all users of a domain'}
            </label>
          ))}
        </fieldset>
        <Field
          label={kind === 'user' ? 'Login name' : 'Domain'}
          value={subject}
          onValue={setSubject}
          placeholder={kind === 'user' ? 'alice@example.org' : 'example.org'}
          autocomplete="off"
        />
        <Field label="Note" value={note} onValue={setNote} hint="The reason, for the audit log." />
      </div>
    </ConfirmDialog>
  )
}
