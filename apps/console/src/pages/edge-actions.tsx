/** The actions on an edge that make sense in its state. Actions that users notice are set apart, with their effect. */
import { isHeard, type EdgeView } from '@imapfleet/api'
import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { call } from '../api/client.ts'
import { placeOrder } from '../fleet/give-order.tsx'
import { amountOf } from '../format/number.ts'
import { Card } from '../ui/card.tsx'
import { ConfirmDialog } from '../ui/confirm-dialog.tsx'
import { tell } from '../ui/toast.tsx'
import { ForgetEdge } from './forget-edge.tsx'
import { mayCall } from '../api/rights.ts'

interface ActionProps {
  edge: EdgeView
  onDone: () => void
}

/** Ends a drain. */
export function ResumeEdge({ edge: { id, drain, forgottenAt }, onDone }: ActionProps) {
  const [isAsking, setAsking] = useState(false)
  if (forgottenAt !== undefined || drain !== true || !mayCall('resumeEdges')) return null
  return (
    <>
      <button type="button" class="button primary" onClick={() => setAsking(true)}>
        Resume
      </button>
      {isAsking && (
        <ConfirmDialog
          name={id}
          onClose={() => setAsking(false)}
          title={`Resume ${id}?`}
          action="Resume"
          onConfirm={async () => {
            await call('resumeEdges', { body: { target: { kind: 'edge', name: id } } })
            onDone()
            tell('good', `${id} accepts clients again.`)
          }}
        >
          The edge accepts new clients again.
        </ConfirmDialog>
      )}
    </>
  )
}

export function EdgeActions({ edge, onDone }: ActionProps) {
  const { id, state, drain, forgottenAt, connections } = edge
  const [asking, setAsking] = useState<'drain' | 'purge'>()
  const shared = { name: id, onClose: () => setAsking(undefined) }
  const target = { kind: 'edge', name: id } as const
  if (forgottenAt !== undefined) return null
  const canDrain = mayCall('drainEdges') && drain !== true && state !== 'stopping'
  // A silent edge cannot carry out orders.
  const canPurge = mayCall('giveOrder') && isHeard(edge)
  const canForget = mayCall('forgetEdge') && state === 'silent'
  if (!canDrain && !canPurge && !canForget) return null
  return (
    <Card title="Actions that users notice" about="Each asks for the name of the edge.">
      <ul class="danger-list">
        {canDrain && (
          <Action
            text={
              isHeard(edge)
                ? `Refuse new clients; ${amountOf(connections.clients, 'client')} can finish. For maintenance.`
                : 'Refuse new clients when the edge returns.'
            }
          >
            <button type="button" class="button danger" onClick={() => setAsking('drain')}>
              Drain
            </button>
          </Action>
        )}
        {canPurge && (
          <Action
            text={
              connections.cached === 0
                ? 'There are no idle connections to close.'
                : `Close ${amountOf(connections.cached, 'idle connection')}; their users log in to the mail server again.`
            }
          >
            <button
              type="button"
              class="button danger"
              disabled={connections.cached === 0}
              onClick={() => setAsking('purge')}
            >
              Purge
            </button>
          </Action>
        )}
        {canForget && (
          <Action text="Remove the edge from the fleet for good, because it will not return.">
            <ForgetEdge edge={edge} onDone={onDone} />
          </Action>
        )}
      </ul>
      {asking === 'drain' && (
        <ConfirmDialog
          {...shared}
          title={`Drain ${id}?`}
          action="Drain"
          isDangerous
          onConfirm={async () => {
            const { edges } = await call('drainEdges', { body: { target } })
            onDone()
            tell('good', drained(edges[0] ?? edge))
          }}
        >
          The edge refuses new clients; its {amountOf(connections.clients, 'client')} can finish. It stays
          drained until you resume it, even after a restart.
        </ConfirmDialog>
      )}
      {asking === 'purge' && (
        <ConfirmDialog
          {...shared}
          title={`Close the idle connections of ${id}?`}
          action="Purge"
          isDangerous
          onConfirm={async () => {
            await placeOrder({ target, action: { kind: 'purge-idle' } })
            onDone()
          }}
        >
          Closes {amountOf(connections.cached, 'idle connection')}; sessions continue. The next session of
          each of these users logs in to the mail server again.
        </ConfirmDialog>
      )}
    </Card>
  )
}

const Action = ({ text, children }: { text: string; children: ComponentChildren }) => (
  <li>
    <span>{text}</span>
    {children}
  </li>
)

const drained = ({ id, state, connections }: EdgeView) =>
  state === 'silent'
    ? `${id} is silent: it drains when it returns.`
    : `${id} was told to drain; ${amountOf(connections.clients, 'client')} can finish.`
