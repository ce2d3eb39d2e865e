/** Orders as the control API takes them, with an account of every edge that they were for. */
import { z } from 'zod'
import { json } from './api-json.ts'
import { orderActionSchema } from './order.ts'

const name = z.string().min(1).max(63)

export const targetSchema = z
  .discriminatedUnion('kind', [
    z.object({ kind: z.literal('all') }),
    z.object({ kind: z.literal('region'), name }),
    z.object({ kind: z.literal('edge'), name }),
  ])
  .meta({ id: 'Target' })
export type TargetName = z.infer<typeof targetSchema>

/** Whom to drain or to resume. */
export const drainRequestSchema = z.object({ target: targetSchema })

export const orderRequestSchema = z
  .object({
    /** Chosen by whoever may have to ask again: the same id is one order, however often it is sent. */
    id: z.uuid().optional(),
    target: targetSchema.default({ kind: 'all' }),
    action: orderActionSchema,
    /** How long edges are waited for. */
    timeoutMs: z.int().min(100).max(20_000).default(2_000),
  })
  .meta({ id: 'OrderRequest' })
export type OrderRequest = z.input<typeof orderRequestSchema>

/** `silent`: it was expected to answer and did not; whether it has done it is not known. */
export const orderedEdgeSchema = z
  .object({
    id: z.string(),
    region: z.string(),
    status: z.enum(['answered', 'failed', 'silent']),
    reason: z.string().nullable(),
    result: json.nullable(),
  })
  .meta({ id: 'OrderedEdge' })
export type OrderedEdge = z.infer<typeof orderedEdgeSchema>

export const orderViewSchema = z
  .object({
    id: z.uuid(),
    givenBy: z.string(),
    at: z.iso.datetime(),
    target: targetSchema,
    action: orderActionSchema,
    /** Null while edges are waited for. */
    finishedAt: z.iso.datetime().nullable(),
    edges: z.array(orderedEdgeSchema),
  })
  .meta({ id: 'Order' })
export type OrderView = z.infer<typeof orderViewSchema>

/** Newest first; `next` is the `before` of the following page. */
export const orderListSchema = z.object({ orders: z.array(orderViewSchema), next: z.int().nullable() })
