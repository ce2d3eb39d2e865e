/**
 * Operations that affect many users in several regions at once. Control carries them out in stages, region by region, and
 * checks the health of the edges between two stages.
 */
import { configName } from '@imapfleet/config/names'
import { orderActionSchema } from '@imapfleet/protocol'
import { z } from 'zod'
import { numberedPage } from './pages.ts'
import { route } from './route.ts'
import { fleetTargetSchema } from './target.ts'

/** `staged`: region by region. `at-once`: everywhere at the same time; the reason is recorded in the audit log. */
export const paceSchema = z
  .discriminatedUnion('kind', [
    z.object({
      kind: z.literal('staged'),
      /** These regions first, in this order. Other regions follow by name. */
      regions: z.array(configName).max(200).default([]),
      /** How long the edges of a region are observed before the next region. */
      soakSeconds: z.int().min(0).max(3_600).default(10),
    }),
    z.object({ kind: z.literal('at-once'), reason: z.string().trim().min(1).max(1000) }),
  ])
  .meta({ id: 'Pace' })
export type Pace = z.output<typeof paceSchema>

/**
 * `stopped`: an edge failed, its health became worse, or the token that began it was revoked. No stage starts until an operator
 * continues. Only one operation runs at a time.
 */
export const operationStateSchema = z.enum(['running', 'stopped', 'completed', 'aborted'])
export type OperationState = z.infer<typeof operationStateSchema>

/** `silent`: the edge was silent. It does the work when it returns, unless the work is an order. */
export const stageEdgeSchema = z.object({
  id: z.string(),
  status: z.enum(['pending', 'done', 'failed', 'silent']),
  /** Why it failed. */
  reason: z.string().nullable(),
})
export type StageEdge = z.infer<typeof stageEdgeSchema>

export const operationSchema = z
  .object({
    id: z.uuid(),
    kind: z.enum(['order', 'revocation', 'drain']),
    /** The operation in words: `pause upstream main`. */
    title: z.string(),
    target: fleetTargetSchema,
    state: operationStateSchema,
    /** Why it was stopped or aborted. */
    reason: z.string().nullable(),
    createdBy: z.string(),
    createdAt: z.iso.datetime(),
    finishedAt: z.iso.datetime().nullable(),
    soakSeconds: z.int(),
    stages: z.array(
      z.object({
        region: z.string(),
        state: z.enum(['waiting', 'current', 'done']),
        edges: z.array(stageEdgeSchema),
      }),
    ),
  })
  .meta({ id: 'Operation' })
export type OperationView = z.infer<typeof operationSchema>

/** An operation without its edges: the number of edges of each stage. */
export const operationSummarySchema = operationSchema
  .extend({
    stages: z.array(
      z.object({
        region: z.string(),
        state: operationSchema.shape.stages.element.shape.state,
        edges: z.int(),
      }),
    ),
  })
  .meta({ id: 'OperationSummary' })
export type OperationSummary = z.infer<typeof operationSummarySchema>

/** Newest first. `next` is the `before` of the next page. */
export const operationListSchema = z.object({
  operations: z.array(operationSummarySchema),
  next: z.int().nullable(),
})

export const previewRequestSchema = z
  .object({
    target: fleetTargetSchema.default({ kind: 'all' }),
    operation: z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('order'), action: orderActionSchema }),
      z.object({
        kind: z.literal('revocation'),
        of: z.enum(['user', 'domain']),
        subject: z.string().trim().min(1).max(1024),
      }),
      z.object({ kind: z.literal('drain') }),
    ]),
  })
  .meta({ id: 'PreviewRequest' })

/** What an operation would affect now. Users who are connected to several edges count once for each. */
export const previewSchema = z
  .object({
    edges: z.int(),
    regions: z.array(z.string()),
    users: z.int(),
    /** Leased server connections: sessions. */
    active: z.int(),
    idle: z.int(),
    /** Edges that did not count: the numbers above lack them. */
    uncounted: z.array(z.string()),
    /** How control would carry it out if the request names no pace. */
    pace: z.enum(['staged', 'at-once']),
  })
  .meta({ id: 'Preview' })
export type PreviewRequest = z.input<typeof previewRequestSchema>
export type OperationPreview = z.infer<typeof previewSchema>

const oneOperation = z.object({ id: z.uuid() })

export const operationRoutes = {
  previewOperation: route({
    method: 'POST',
    path: '/v1/operations/preview',
    tag: 'operations',
    summary: 'Count the edges, users and connections that an operation would affect; nothing is changed',
    role: 'operator',
    limits: 'both',
    body: previewRequestSchema,
    answer: previewSchema,
    returns: 'The counts',
  }),
  listOperations: route({
    method: 'GET',
    path: '/v1/operations',
    tag: 'operations',
    summary: 'Operations in stages, newest first',
    role: 'operator',
    limits: 'unlimited-only',
    query: numberedPage,
    answer: operationListSchema,
    returns: 'Operations',
  }),
  readOperation: route({
    method: 'GET',
    path: '/v1/operations/{id}',
    tag: 'operations',
    summary: 'One operation, stage by stage',
    role: 'operator',
    limits: 'unlimited-only',
    params: oneOperation,
    answer: operationSchema,
    returns: 'The operation',
  }),
  steerOperation: route({
    method: 'POST',
    path: '/v1/operations/{id}/{steering}',
    tag: 'operations',
    summary:
      'Continue a stopped operation with the next stage, or abort one; finished stages stay as they are',
    role: 'operator',
    limits: 'unlimited-only',
    params: z.object({ id: z.uuid(), steering: z.enum(['continue', 'abort']) }),
    answer: operationSchema,
    returns: 'The operation',
  }),
} as const
