/** Orders, as the control API accepts them, and their outcome on each edge. */
import { z } from 'zod'
import {
  actionSchemaOf,
  orderActionSchema,
  orderResultSchema,
  resultSchemaOf,
  type OrderAction,
  type OrderKind,
  type OrderResult,
} from '@imapfleet/protocol'
import { operationSchema, paceSchema } from './operations.ts'
import { decimalNumber, numberedPage } from './pages.ts'
import { route } from './route.ts'
import { fleetTargetSchema } from './target.ts'

/** Which edges to drain. Several regions are drained one after the other, unless `pace` says otherwise. */
export const drainRequestSchema = z.object({ target: fleetTargetSchema, pace: paceSchema.optional() })
/** Which edges to resume, all at once. */
export const resumeRequestSchema = z.object({ target: fleetTargetSchema })

export const orderRequestSchema = z
  .object({
    /** Chosen by the client, which may repeat the request: the same id is one order. */
    id: z.uuid().optional(),
    target: fleetTargetSchema.default({ kind: 'all' }),
    action: orderActionSchema,
    /** How long control waits for edges. */
    timeoutMs: z.int().min(100).max(20_000).default(2_000),
    /**
     * How an order that affects many users reaches several regions: staged, if left out. Other orders are always carried out
     * at once.
     */
    pace: paceSchema.optional(),
  })
  .meta({ id: 'OrderRequest' })
export type OrderRequest<Action extends OrderAction = OrderAction> = Omit<
  z.input<typeof orderRequestSchema>,
  'action'
> & { action: Action }

const orderedEdgeOf = <Result extends z.ZodType>(result: Result) =>
  z.discriminatedUnion('status', [
    z.object({
      id: z.string(),
      region: z.string(),
      status: z.literal('answered'),
      reason: z.null(),
      result,
    }),
    /** `silent`: no answer. Whether the edge has carried out the order is unknown. */
    z.object({
      id: z.string(),
      region: z.string(),
      status: z.enum(['failed', 'silent']),
      reason: z.string(),
      result: z.null(),
    }),
  ])

/** The number of edges by the status of their answer. */
const orderCountsSchema = z.object({ answered: z.int(), failed: z.int(), silent: z.int() })
export type OrderCounts = z.output<typeof orderCountsSchema>

const orderHead = <Action extends z.ZodType>(action: Action) => ({
  id: z.uuid(),
  givenBy: z.string(),
  at: z.iso.datetime(),
  target: fleetTargetSchema,
  action,
  /** Null while control waits for edges, or for the next stage. */
  finishedAt: z.iso.datetime().nullable(),
  counts: orderCountsSchema,
})

const orderViewWith = <Action extends z.ZodType, Edge extends z.ZodType>(action: Action, edge: Edge) =>
  z.object({
    ...orderHead(action),
    /** The answers, or a page of them. `next` is the `after` of the next page. */
    edges: z.array(edge),
    next: z.string().nullable(),
    /** If it is carried out in stages. `edges` then grows with each stage. */
    operation: operationSchema.optional(),
  })

export type OrderedEdge<Kind extends OrderKind = OrderKind> = z.output<
  ReturnType<typeof orderedEdgeOf<z.ZodType<OrderResult<Kind>>>>
>
export type OrderView<Kind extends OrderKind = OrderKind> = z.output<
  ReturnType<typeof orderViewWith<z.ZodType<OrderAction<Kind>>, z.ZodType<OrderedEdge<Kind>>>>
>

/** An order of any kind. The type of a result is the union of all; `orderViewOf` narrows it to a kind. */
export const orderViewSchema = orderViewWith(
  orderActionSchema,
  orderedEdgeOf(orderResultSchema).meta({ id: 'OrderedEdge' }),
).meta({ id: 'Order' })

/** An order of one kind, with the results of that kind. */
export const orderViewOf = <Kind extends OrderKind>(kind: Kind): z.ZodType<OrderView<Kind>> =>
  orderViewWith(actionSchemaOf(kind), orderedEdgeOf(resultSchemaOf(kind)))

/** An order without its answers. `operation`: the id of the operation that carries it out in stages. */
export const orderSummarySchema = z
  .object({ ...orderHead(orderActionSchema), operation: z.uuid().optional() })
  .meta({ id: 'OrderSummary' })
export type OrderSummary = z.output<typeof orderSummarySchema>

/** Newest first. `next` is the `before` of the next page. */
export const orderListSchema = z.object({ orders: z.array(orderSummarySchema), next: z.int().nullable() })

export const orderRoutes = {
  giveOrder: route({
    method: 'POST',
    path: '/v1/orders',
    tag: 'orders',
    summary: 'Send an order to all edges, a region or one edge, and wait for their answers',
    role: 'operator',
    limits: 'both',
    body: orderRequestSchema,
    answer: orderViewSchema,
    returns: 'The answer of each edge',
  }),
  listOrders: route({
    method: 'GET',
    path: '/v1/orders',
    tag: 'orders',
    summary: 'Orders without their answers, newest first',
    role: 'operator',
    limits: 'both',
    query: numberedPage,
    answer: orderListSchema,
    returns: 'Orders',
  }),
  readOrder: route({
    method: 'GET',
    path: '/v1/orders/{id}',
    tag: 'orders',
    summary: 'One order with the answers, page by page',
    role: 'operator',
    limits: 'both',
    params: z.object({ id: z.uuid() }),
    query: z.object({
      limit: decimalNumber(1, 5_000).default(1_000),
      /** `next` of the previous page. */
      after: z.string().max(63).optional(),
    }),
    answer: orderViewSchema,
    returns: 'The order',
  }),
} as const
