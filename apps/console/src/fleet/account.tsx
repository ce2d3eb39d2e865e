/** What became of an order, in a sentence and edge by edge. */
import type { OrderAction, OrderedEdge, OrderView, TargetName } from '@imapfleet/protocol'
import { amountOf, countOf } from '../format/number.ts'
import { Badge } from '../ui/badge.tsx'

export const targetText = (target: TargetName): string =>
  target.kind === 'all' ? 'all edges' : `${target.kind} ${target.name}`

export function actionText(action: OrderAction): string {
  switch (action.kind) {
    case 'who':
      return action.user === undefined ? 'who is connected' : `where is ${action.user} connected`
    case 'kick-user':
      return `kick ${action.user}`
    case 'purge-idle':
      return action.user === undefined ? 'purge warm connections' : `purge warm connections of ${action.user}`
    case 'route-lookup':
      return `where would ${action.user} go`
    case 'pause-upstream':
      return `pause upstream ${action.upstream}`
    case 'resume-upstream':
      return `resume upstream ${action.upstream}`
    case 'reset-counters':
      return 'reset counters'
    case 'newlog':
      return 'begin a new protocol log'
    case 'version':
      return 'tell the version'
  }
}

const statuses = ['answered', 'failed', 'silent'] as const
const tones = { answered: 'good', failed: 'bad', silent: 'warn' } as const

export const EdgeStatus = ({ edge: { status } }: { edge: OrderedEdge }) => (
  <Badge tone={tones[status]}>{status}</Badge>
)

/** `3 answered`, `1 silent`. */
export function AccountBadges({ order }: { order: OrderView }) {
  if (order.finishedAt === null) return <Badge tone="accent">waiting for edges</Badge>
  if (order.edges.length === 0) return <Badge tone="warn">no edge was there</Badge>
  return (
    <span class="row">
      {statuses.map((status) => {
        const count = order.edges.filter((edge) => edge.status === status).length
        return count === 0 ? null : (
          <Badge key={status} tone={tones[status]}>
            {`${count} ${status}`}
          </Badge>
        )
      })}
    </span>
  )
}

/** What an edge answered, in words where it is one of those that are known here. */
export function resultText({ action }: OrderView, { result }: OrderedEdge): string {
  if (result === null || typeof result !== 'object') return result === null ? '' : String(result)
  if (Array.isArray(result)) return amountOf(result.length, 'connection')
  const number = (key: string) => (typeof result[key] === 'number' ? result[key] : 0)
  if (action.kind === 'kick-user') return `ended ${amountOf(number('sessions'), 'session')}`
  if (action.kind === 'purge-idle') return `closed ${amountOf(number('connections'), 'warm connection')}`
  if (Object.keys(result).length === 0) return 'done'
  return Object.entries(result)
    .map(([key, value]) => `${key} ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(', ')
}

/** A sentence on the whole: what was done, and by whom it was not. */
export function summaryOf(order: OrderView): { tone: 'good' | 'bad'; text: string } {
  const answered = order.edges.filter(({ status }) => status === 'answered')
  const others = order.edges.filter(({ status }) => status !== 'answered')
  const counted = answered.map((edge) => `${edge.id}: ${resultText(order, edge)}`).slice(0, 5)
  const more = answered.length > 5 ? `, and ${countOf(answered.length - 5)} more edges` : ''
  const failures = others.map(({ id, status, reason }) => `${id} ${status}: ${reason ?? 'no reason given'}`)
  const text = [counted.join(', ') + more, ...failures.slice(0, 3)].filter(Boolean).join('. ')
  return {
    tone: others.length === 0 && answered.length > 0 ? 'good' : 'bad',
    text: text || 'No edge was there to do it.',
  }
}
