/** Routes of orders. */
import { createRoute } from '@hono/zod-openapi'
import { orderListSchema, orderRequestSchema, orderViewSchema } from '@imapfleet/api'
import { z } from 'zod'
import type { Deps } from '../../deps.ts'
import { giveOrder } from './give-order.ts'
import { listOrders } from './list-orders.ts'
import { readOrder } from './read-order.ts'
import {
  bearer,
  body,
  jsonContent,
  needs,
  newRoutes,
  numberedPage,
  problems,
} from '../../platform/http/routes.ts'

const shared = { tags: ['orders'], security: bearer, middleware: needs('operator') }

const give = createRoute({
  ...shared,
  method: 'post',
  path: '/orders',
  summary: 'Send an order to all edges, a region or one edge, and wait for their answers',
  request: { body: body(orderRequestSchema) },
  responses: { 200: jsonContent(orderViewSchema, 'The answer of each edge'), ...problems },
})

const list = createRoute({
  ...shared,
  method: 'get',
  path: '/orders',
  summary: 'Orders, newest first',
  request: { query: numberedPage },
  responses: { 200: jsonContent(orderListSchema, 'Orders'), ...problems },
})

const read = createRoute({
  ...shared,
  method: 'get',
  path: '/orders/{id}',
  summary: 'One order with the answers',
  request: { params: z.object({ id: z.uuid() }) },
  responses: { 200: jsonContent(orderViewSchema, 'The order'), ...problems },
})

export const orderRoutes = (deps: Deps) =>
  newRoutes()
    .openapi(give, async (context) =>
      context.json(await giveOrder(deps, context.get('actor'), context.req.valid('json')), 200),
    )
    .openapi(list, async (context) => context.json(await listOrders(deps, context.req.valid('query')), 200))
    .openapi(read, async (context) => context.json(await readOrder(deps, context.req.valid('param').id), 200))
