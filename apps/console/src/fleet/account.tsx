/** The outcome of an order, as a sentence and for each edge. */
import { type OrderedEdge, type OrderSummary, type OrderView, type FleetTarget } from '@imapfleet/api'
import { orderOutcome } from '@imapfleet/protocol'
import { resultOf } from '../api/contract.ts'
import { countOf } from '../format/number.ts'
import { Badge } from '../ui/badge.tsx'

export const targetWords = (target: FleetTarget): string =>
  target.kind === 'all' ? 'all edges' : `${target.kind} ${target.name}`

const statuses = ['answered', 'failed', 'silent'] as const
const tones = { answered: 'good', failed: 'bad', silent: 'warn' } as const

export const EdgeStatus = ({ edge: { status } }: { edge: OrderedEdge }) => (
  <Badge tone={tones[status]}>{status}</Badge>
)

/** `3 answered`, `1 silent`. */
export function AccountBadges({ order }: { order: Pick<OrderSummary, 'counts' | 'finishedAt'> }) {
  if (order.finishedAt === null) return <Badge tone="accent">waiting for edges</Badge>
  if (statuses.every((status) => order.counts[status] === 0)) return <Badge tone="warn">no edges</Badge>
  return (
    <span class="row">
      {statuses.map((status) => {
        const count = order.counts[status]
        return count === 0 ? null : (
          <Badge key={status} tone={tones[status]}>
            {`${countOf(count)} ${status}`}
          </Badge>
        )
      })}
    </span>
  )
}

/** The answer of an edge in words; empty without an answer. */
export function resultText({ action: { kind } }: OrderView, { result }: OrderedEdge): string {
  const found = resultOf(kind, result)
  return found === undefined ? '' : orderOutcome(kind, found)
}

/** A sentence on the whole order: the results, and the edges that failed. */
export function summaryOf(order: OrderView): { tone: 'good' | 'bad'; text: string } {
  const answered = order.edges.filter(({ status }) => status === 'answered')
  const others = order.edges.filter(({ status }) => status !== 'answered')
  const counted = answered.map((edge) => `${edge.id}: ${resultText(order, edge)}`).slice(0, 5)
  const more = answered.length > 5 ? `, and ${countOf(answered.length - 5)} more edges` : ''
  const failures = others.map(({ id, status, reason }) => `${id} ${status}: ${reason}`)
  const text = [counted.join(', ') + more, ...failures.slice(0, 3)].filter(Boolean).join('. ')
  return {
    tone: others.length === 0 && answered.length > 0 ? 'good' : 'bad',
    text: text || 'The order reached no edge.',
  }
}
