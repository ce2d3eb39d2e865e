/** Forgets a silent edge. */
import type { EdgeView } from '@imapfleet/api'
import { useState } from 'preact/hooks'
import { call } from '../api/client.ts'
import { ConfirmDialog } from '../ui/confirm-dialog.tsx'
import { tell } from '../ui/toast.tsx'

export function ForgetEdge({ edge: { id }, onDone }: { edge: EdgeView; onDone: () => void }) {
  const [isAsking, setAsking] = useState(false)
  return (
    <>
      <button type="button" class="button danger" onClick={() => setAsking(true)}>
        Forget this edge
      </button>
      {isAsking && (
        <ConfirmDialog
          name={id}
          onClose={() => setAsking(false)}
          title={`Forget ${id}?`}
          action="Forget"
          isDangerous
          onConfirm={async () => {
            await call('forgetEdge', { params: { id } })
            onDone()
            tell('good', `${id} is forgotten.`)
          }}
        >
          Removes an edge for good from all lists, orders, rollouts and alerts. Its history is kept. If the
          edge sends a heartbeat again, it returns automatically, after it has applied all revocations that it
          missed.
        </ConfirmDialog>
      )}
    </>
  )
}
