/** The actions on an edge. */
import type { EdgeView } from '@imapfleet/api'
import { useState } from 'preact/hooks'
import { call } from '../api/client.ts'
import { placeOrder } from '../fleet/give-order.tsx'
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
  // A silent edge cannot carry out orders.
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
            const { edges } = await call('drainEdges', { body: { target } })
            onDone()
            tell('good', drained(edges[0] ?? edge))
          }}
        >
          The edge refuses new clients; its {amountOf(edge.connections.clients, 'client')} can finish. It
          stays drained until you resume it, even after a restart.
        </ConfirmDialog>
      )}
      {asking === 'resume' && (
        <ConfirmDialog
          {...shared}
          title={`Resume ${edge.id}?`}
          action="Resume"
          onConfirm={async () => {
            await call('resumeEdges', { body: { target } })
            onDone()
            tell('good', `${edge.id} accepts clients again.`)
          }}
        >
          The edge accepts new clients again.
        </ConfirmDialog>
      )}
      {asking === 'purge' && (
        <ConfirmDialog
          {...shared}
          title={`Close the idle connections of ${edge.id}?`}
          action="Purge"
          isDangerous
          onConfirm={async () => {
            await placeOrder({ target, action: { kind: 'purge-idle' } })
            onDone()
          }}
        >
          Closes {amountOf(edge.connections.cached, 'idle connection')}; sessions continue. The next session
          of each of these users logs in to the mail server again.
        </ConfirmDialog>
      )}
    </>
  )
}

const drained = ({ id, state, connections }: EdgeView) =>
  state === 'silent'
    ? `${id} is silent: it drains when it returns.`
    : `${id} was told to drain; ${amountOf(connections.clients, 'client')} can finish.`
