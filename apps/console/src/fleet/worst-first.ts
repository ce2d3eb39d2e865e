/** Edges in the order in which they need a look: a list of a thousand must not hide the one that refused. */
import { compareNames } from './compare-names.ts'

/** Of edges in a revision, in a wave of a rollout, and in an order. */
const order = ['rejected', 'failed', 'silent', 'skipped', 'pending', 'applied', 'answered', 'waiting']

export const worstFirst = <Edge extends { id: string; status: string }>(edges: readonly Edge[]): Edge[] =>
  edges.toSorted(
    (one, other) => order.indexOf(one.status) - order.indexOf(other.status) || compareNames(one.id, other.id),
  )
