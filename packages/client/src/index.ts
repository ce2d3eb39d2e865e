/** Exports of @imapfleet/client: the client of control's API. */
import {
  orderViewOf,
  problemDetailsSchema,
  routes,
  type OrderedEdge,
  type OrderRequest,
  type OrderView,
} from '@imapfleet/api'
import type { OrderAction } from '@imapfleet/protocol'
import { clientOf, type ClientOptions } from './client.ts'
import type { RequestOptions } from './contract.ts'

export { clientOf } from './client.ts'
export type { Contract, Given, Parser, RouteAnswer, RouteShape, StreamUpdate } from './contract.ts'
export { isTransient, NoAnswerError, ProblemError } from './errors.ts'
export type { KnownAnswer } from './request.ts'
export { newId } from './new-id.ts'

export type ApiClient = ReturnType<typeof createClient>

export const createClient = (options: ClientOptions) =>
  clientOf({ routes, problem: problemDetailsSchema }, options)

/** Gives an order. The results have the type of its action. */
export async function requestOrder<Action extends OrderAction>(
  client: Pick<ApiClient, 'call'>,
  body: OrderRequest<Action>,
  options: RequestOptions = {},
): Promise<OrderView<Action['kind']>> {
  const order = await client.call('giveOrder', { body, ...options })
  return orderViewOf<Action['kind']>(body.action.kind).parse(order)
}

/** An order with all its answers, page by page. */
export async function readWholeOrder(
  client: Pick<ApiClient, 'call'>,
  id: string,
  options: RequestOptions = {},
): Promise<OrderView> {
  const edges: OrderedEdge[] = []
  for (let after: string | undefined; ;) {
    const order = await client.call('readOrder', { params: { id }, query: { after }, ...options })
    edges.push(...order.edges)
    if (order.next === null) return { ...order, edges }
    after = order.next
  }
}
