/** Prints orders: the command, the target, and the answer of each edge. */
import { fleetTargetText, type OrderedEdge, type OrderSummary, type OrderView } from '@imapfleet/api'
import { orderResultText, type OrderAction, type OrderResult } from '@imapfleet/protocol'
import type { Style } from './colour.ts'
import { edgeColumn } from './edge-column.ts'
import { facts, table, type Column, type TableLayout } from './table.ts'
import { timeColumn } from './time-column.ts'
import { dayAndClock } from './time.ts'

const statusStyle: Readonly<Record<OrderedEdge['status'], Style>> = {
  answered: 'green',
  failed: 'red',
  silent: 'red',
}

/** `detail`: the result of an edge that answered, in words. */
export function accountLines<Action extends OrderAction>(
  { edges }: { action: Action; edges: readonly OrderedEdge<Action['kind']>[] },
  detail: (result: OrderResult<Action['kind']>) => string,
  page: TableLayout,
): string[] {
  const columns: Column<OrderedEdge<Action['kind']>>[] = [
    edgeColumn('EDGE', (edge) => edge.id),
    { title: 'REGION', cell: (edge) => edge.region },
    { title: 'STATUS', cell: (edge) => edge.status, style: (edge) => statusStyle[edge.status] },
    { title: 'ANSWER', cell: (edge) => (edge.status === 'answered' ? detail(edge.result) : edge.reason) },
  ]
  return table(columns, edges, page)
}

/** `kick-user bob`, `pause-upstream main`. */
export function actionText({ kind, ...what }: OrderAction): string {
  return [kind, ...Object.values(what)].join(' ')
}

/** `3 of 4`, and the status of the others. */
export function outcomeText({ counts, finishedAt }: Pick<OrderSummary, 'counts' | 'finishedAt'>): string {
  if (finishedAt === null) return 'waiting for edges'
  const others = (['failed', 'silent'] as const).flatMap((status) =>
    counts[status] === 0 ? [] : [`${counts[status]} ${status}`],
  )
  const all = counts.answered + counts.failed + counts.silent
  return [`${counts.answered} of ${all} answered`, ...others].join(', ')
}

const isComplete = ({ counts }: OrderSummary) => counts.failed + counts.silent === 0

export const orderColumns: Column<OrderSummary>[] = [
  { title: 'ID', cell: (order) => order.id, cut: 'never' },
  timeColumn('WHEN', (order) => order.at),
  { title: 'WHO', cell: (order) => order.givenBy, hide: 'first' },
  { title: 'FOR', cell: (order) => fleetTargetText(order.target), hide: 'first' },
  { title: 'ORDER', cell: (order) => actionText(order.action) },
  { title: 'OUTCOME', cell: outcomeText, style: (order) => (isComplete(order) ? undefined : 'yellow') },
]

export function orderLines(order: OrderView, page: TableLayout): string[] {
  return [
    ...facts(
      [
        ['order', order.id],
        ['what', actionText(order.action)],
        ['for', fleetTargetText(order.target)],
        ['given', `${dayAndClock(order.at)} by ${order.givenBy}`],
        ['outcome', outcomeText(order)],
      ],
      page,
    ),
    ...accountLines(order, (result) => orderResultText(order.action.kind, result), page),
  ]
}
