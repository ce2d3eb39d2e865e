/** What an operator can have an edge do. */
import type { EdgeView } from '@imapfleet/protocol'
import { useState } from 'preact/hooks'
import { api } from '../api/api.ts'
import { giveOrder } from '../fleet/give-order.tsx'
import { amountOf } from '../format/number.ts'
import { ConfirmDialog } from '../ui/confirm-dialog.tsx'
import { tell } from '../ui/toast.tsx'
import { ForgetEdge } from './forget-edge.tsx'

type Asking = 'drain' | 'resume' | 'purge'

export function EdgeActions({ edge, onDone }: { edge: EdgeView; onDone: () => void }) {
  const [asking, setAsking] = useState<Asking>()
  const isDrained = edge.drain ?? false
  const shared = { name: edge.id, onClose: () => setAsking(undefined) }
  const target = { kind: 'edge', name: edge.id } as const
  // Nothing can be asked of it until it is back.
  if (edge.forgottenAt !== undefined) return null
  return (
    <>
      {isDrained ? (
        <button type="button" class="button primary" onClick={() => setAsking('resume')}>
          Resume
        </button>
      ) : (
        <button type="button" class="button danger" onClick={() => setAsking('drain')}>
          Drain
        </button>
      )}
      <button type="button" class="button danger" onClick={() => setAsking('purge')}>
        Purge
      </button>
      <ForgetEdge edge={edge} onDone={onDone} />
      {asking === 'drain' && (
        <ConfirmDialog
          {...shared}
          title={`Drain ${edge.id}?`}
          action="Drain"
          isDangerous
          onConfirm={async () => {
            const { edges } = await api.drain(target)
            onDone()
            tell('good', drained(edges[0] ?? edge))
          }}
        >
          It takes no new clients; the {amountOf(edge.connections.clients, 'client')} it has may finish. It
          stays drained, also over a restart, until it is resumed.
        </ConfirmDialog>
      )}
      {asking === 'resume' && (
        <ConfirmDialog
          {...shared}
          title={`Resume ${edge.id}?`}
          action="Resume"
          onConfirm={async () => {
            await api.resume(target)
            onDone()
            tell('good', `${edge.id} takes clients again.`)
          }}
        >
          It takes new clients again.
        </ConfirmDialog>
      )}
      {asking === 'purge' && (
        <ConfirmDialog
          {...shared}
          title={`Purge warm connections of ${edge.id}?`}
          action="Purge"
          isDangerous
          onConfirm={async () => {
            await giveOrder({ target, action: { kind: 'purge-idle' } })
            onDone()
          }}
        >
          Its {amountOf(edge.connections.cached, 'warm connection')} are closed; sessions go on. Each of those
          users logs in at the mail server once more.
        </ConfirmDialog>
      )}
    </>
  )
}

const drained = ({ id, state, connections }: EdgeView) =>
  state === 'silent'
    ? `${id} is silent: it is drained as soon as it is back.`
    : `${id} was told to drain; ${amountOf(connections.clients, 'client')} may finish.`
