/** A preview of an operation: each edge counts its affected users and connections. */
import { randomUUID } from 'node:crypto'
import type { FleetTarget, OperationPreview } from '@imapfleet/api'
import {
  isDisruptiveOrder,
  orderKinds,
  orderSubject,
  type OrderAction,
  type OrderSubject,
} from '@imapfleet/protocol'
import type { Deps } from '../../deps.ts'
import { needsSubject, targetWithin, type Actor } from '../../platform/access.ts'
import { edgesOfTarget } from '../edges/service.ts'
import { askEdgesToCount } from '../orders/service.ts'
import { isStaged } from './service.ts'

export interface PreviewInput {
  target: FleetTarget
  operation:
    | { kind: 'order'; action: OrderAction }
    | { kind: 'revocation'; of: 'user' | 'domain'; subject: string }
    | { kind: 'drain' }
}

export async function previewOperation(
  deps: Deps,
  actor: Actor,
  { target: asked, operation }: PreviewInput,
): Promise<OperationPreview> {
  needsSubject(actor, subjectOf(operation))
  const target = targetWithin(actor, asked)
  const edges = await edgesOfTarget(deps, actor.limits, target)
  const order = {
    id: randomUUID(),
    givenBy: actor.name,
    action: { kind: 'count', ...countedBy(operation) },
  } as const
  const counts = await askEdgesToCount(deps, order, target, edges)
  const sum = (of: 'users' | 'active' | 'idle') =>
    [...counts.values()].reduce((total, count) => total + count[of], 0)
  return {
    edges: edges.length,
    regions: [...new Set(edges.map(({ region }) => region))].sort(),
    users: sum('users'),
    active: sum('active'),
    idle: sum('idle'),
    uncounted: edges.filter(({ id }) => !counts.has(id)).map(({ id }) => id),
    pace: isStaged(actor, isLarge(operation), edges, undefined) ? 'staged' : 'at-once',
  }
}

function subjectOf(operation: PreviewInput['operation']): OrderSubject {
  switch (operation.kind) {
    case 'order':
      return orderSubject(operation.action)
    case 'revocation':
      return { kind: operation.of, name: operation.subject }
    case 'drain':
      return undefined
  }
}

function isLarge(operation: PreviewInput['operation']): boolean {
  switch (operation.kind) {
    case 'order':
      return isDisruptiveOrder(operation.action)
    case 'revocation':
      return operation.of === 'domain'
    case 'drain':
      return true
  }
}

/** The connections that the operation affects. */
function countedBy(operation: PreviewInput['operation']): Omit<OrderAction<'count'>, 'kind'> {
  if (operation.kind === 'drain') return {}
  if (operation.kind === 'revocation') {
    const { of, subject } = operation
    return of === 'user' ? { user: subject } : { domain: subject.replace(/^@/, '') }
  }
  // The fields that say which connections are counted have the same names in every order.
  return orderKinds.count.input.parse(operation.action)
}
