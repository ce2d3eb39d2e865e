/** The progress of a drain or a resume, from heartbeats. */
import type { EdgeView } from '@imapfleet/api'
import { Failure } from './failure.ts'
import type { Column } from './print/table.ts'

/** Nothing more to wait for. A silent edge may stay silent. */
export function isSettled({ state, connections }: EdgeView, drain: boolean): boolean {
  if (state === 'silent') return true
  return drain ? state !== 'serving' && connections.clients === 0 : state === 'serving'
}

/** `eu-1: 12 clients left, us-1: 1 client left`; empty if nothing is left. */
export function progressOf(edges: readonly EdgeView[], drain: boolean): string {
  const behind = edges.filter((edge) => !isSettled(edge, drain))
  if (behind.length > namedMax) {
    const clients = behind.reduce((sum, { connections }) => sum + connections.clients, 0)
    return `${behind.length} edges${drain ? `: ${clientsText(clients)} left` : ''}`
  }
  return behind
    .map(({ id, state, connections }) =>
      !drain || state === 'serving'
        ? `${id}: ${state} still`
        : `${id}: ${clientsText(connections.clients)} left`,
    )
    .join(', ')
}

/** If more edges are left, only their number is shown. */
const namedMax = 5
const clientsText = (clients: number) => `${clients} ${clients === 1 ? 'client' : 'clients'}`

export const drainColumns: Column<EdgeView>[] = [
  { title: 'EDGE', cell: (edge) => edge.id },
  { title: 'REGION', cell: (edge) => edge.region },
  {
    title: 'STATE',
    cell: (edge) => edge.state,
    style: (edge) => (edge.state === 'silent' ? 'red' : edge.state === 'serving' ? 'green' : 'yellow'),
  },
  { title: 'WANTED', cell: (edge) => (edge.drain === true ? 'draining' : 'serving') },
  { title: 'CLIENTS LEFT', cell: (edge) => String(edge.connections.clients), align: 'right' },
]

/** Throws if an edge was silent or, with `wait`, has not finished. */
export function complainOfDrain(edges: readonly EdgeView[], drain: boolean, waited: boolean): void {
  const complaints = edges.flatMap((edge) => {
    if (edge.state === 'silent') return [`${edge.id} is silent and will follow when it returns`]
    if (!waited || isSettled(edge, drain)) return []
    const { clients } = edge.connections
    return [drain ? `${edge.id} still has ${clientsText(clients)}` : `${edge.id} is still ${edge.state}`]
  })
  if (complaints.length > 0)
    throw new Failure('refused', `the change is recorded, but ${complaints.join('; ')}`)
}
