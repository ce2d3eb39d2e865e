/** Routes of orders. */
import type { orderRoutes } from '@imapfleet/api'
import type { Deps } from '../../deps.ts'
import type { Handlers } from '../../platform/http/handlers.ts'
import { giveOrder, listOrders, readOrder } from './service.ts'

export const orderHandlers = (deps: Deps): Handlers<typeof orderRoutes> => ({
  giveOrder: ({ actor, body }) => giveOrder(deps, actor, body),
  listOrders: ({ actor, query }) => listOrders(deps, actor.limits, query),
  readOrder: ({ actor, params, query }) => readOrder(deps, actor.limits, params.id, query),
})
