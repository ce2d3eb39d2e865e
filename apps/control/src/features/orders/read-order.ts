/** One order with its answers. */
import type { OrderView } from '@imapfleet/api'
import { findOrder } from './queries.ts'
import type { Deps } from '../../deps.ts'
import { ServiceError } from '../../platform/errors.ts'
import { orderView } from './order-view.ts'

export async function readOrder({ db }: Deps, id: string): Promise<OrderView> {
  const row = await findOrder(db.orm, id)
  if (!row)
    throw new ServiceError('order_unknown', `No order has the id ${id}: GET /v1/orders lists all orders.`)
  return orderView(row)
}
