/** Edges sorted by the need for attention: in a list of a thousand, an edge that refused must come first. */
import { compareNames } from './compare-names.ts'

/** Of edges in a revision, in a wave of a rollout, and in an order. */
const order = ['rejected', 'failed', 'silent', 'skipped', 'pending', 'applied', 'answered', 'waiting']

export const worstFirst = <Edge extends { id: string; status: string }>(edges: readonly Edge[]): Edge[] =>
  edges.toSorted(
    (one, other) => order.indexOf(one.status) - order.indexOf(other.status) || compareNames(one.id, other.id),
  )
