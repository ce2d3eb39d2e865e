/** Orders, newest first. */
import type { OrderView } from '@imapfleet/api'
import { selectOrders } from './queries.ts'
import type { Deps } from '../../deps.ts'
import { orderView } from './order-view.ts'
import { pageOf } from '../../platform/db/page-of.ts'

export async function listOrders(
  { db }: Deps,
  page: { limit: number; before?: number | undefined },
): Promise<{ orders: OrderView[]; next: number | null }> {
  const { shown, next } = await pageOf(
    page,
    (asked) => selectOrders(db.orm, asked),
    ({ number }) => number,
  )
  return { orders: shown.map(orderView), next }
}
