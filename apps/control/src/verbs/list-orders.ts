/** Orders, newest first. */
import type { OrderView } from '@imapfleet/protocol'
import { listOrders as readOrders } from '../db/orders.ts'
import type { Deps } from '../deps.ts'
import { orderView } from '../views/order-view.ts'

export async function listOrders(
  { db }: Deps,
  page: { limit: number; before?: number | undefined },
): Promise<{ orders: OrderView[]; next: number | null }> {
  const rows = await readOrders(db.orm, { ...page, limit: page.limit + 1 })
  const shown = rows.slice(0, page.limit)
  return {
    orders: shown.map(orderView),
    next: rows.length > shown.length ? (shown.at(-1)?.number ?? null) : null,
  }
}
