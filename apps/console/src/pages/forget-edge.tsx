/** Takes an edge that is away out of the fleet, for whoever knows that it is gone for good. */
import type { EdgeView } from '@imapfleet/protocol'
import { useState } from 'preact/hooks'
import { api } from '../api/api.ts'
import { ConfirmDialog } from '../ui/confirm-dialog.tsx'
import { tell } from '../ui/toast.tsx'

export function ForgetEdge({ edge: { id, state }, onDone }: { edge: EdgeView; onDone: () => void }) {
  const [isAsking, setAsking] = useState(false)
  return (
    <>
      {state === 'silent' && (
        <button type="button" class="button danger" onClick={() => setAsking(true)}>
          Forget this edge
        </button>
      )}
      {isAsking && (
        <ConfirmDialog
          name={id}
          onClose={() => setAsking(false)}
          title={`Forget ${id}?`}
          action="Forget"
          isDangerous
          onConfirm={async () => {
            await api.forgetEdge(id)
            onDone()
            tell('good', `${id} is forgotten.`)
          }}
        >
          For an edge that is gone for good: no list has it any more, no order and no rollout waits for it,
          and no alert tells of it. Its history stays. If it is ever heard of again, it is back by itself, and
          first applies what was revoked meanwhile.
        </ConfirmDialog>
      )}
    </>
  )
}
