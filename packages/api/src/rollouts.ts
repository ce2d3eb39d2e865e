/** Rollouts: a revision reaches its edges in waves. A wave starts after the one before it has stayed healthy. */
import { configName } from '@imapfleet/config/names'
import { z } from 'zod'
import { layerNameSchema } from './layer.ts'
import { decimalNumber, pageByRevision, revisionMax } from './pages.ts'
import { route } from './route.ts'

export const rolloutRequestSchema = z
  .object({
    /** The first wave: these edges, filled up to `canaryPercent` of all edges, from each region in turn. */
    canaryEdges: z.array(configName).max(1000).default([]),
    canaryPercent: z.number().min(0).max(100).default(0),
    /** One wave for each region, in this order. Other regions follow by name. */
    regions: z.array(configName).max(200).default([]),
    /** How long a wave is observed after all its edges have applied the revision. */
    soakSeconds: z.int().min(0).max(86_400).default(30),
    /** How long an edge may be silent, or take to apply the revision, before everything is rolled back. */
    silenceSeconds: z.int().min(1).max(3_600).default(60),
    /** How much the share of failed logins, or of failed server connections, may rise: 0.05 is five percentage points. */
    errorShareMax: z.number().min(0).max(1).default(0.05),
  })
  .meta({ id: 'RolloutRequest' })
export type RolloutRequest = z.input<typeof rolloutRequestSchema>
export type RolloutSettings = z.output<typeof rolloutRequestSchema>

/** `paused`: no wave starts, and nothing is rolled back. */
export const rolloutStateSchema = z.enum(['running', 'paused', 'completed', 'rolled-back', 'aborted'])
export type RolloutState = z.infer<typeof rolloutStateSchema>

export const rolloutSchema = z
  .object({
    revision: z.int(),
    layer: layerNameSchema,
    state: rolloutStateSchema,
    /** Why control paused it, or why it was rolled back or aborted. */
    reason: z.string().nullable(),
    createdAt: z.iso.datetime(),
    createdBy: z.string(),
    finishedAt: z.iso.datetime().nullable(),
    /** The revision that reverted it. */
    undoneBy: z.int().nullable(),
    settings: rolloutRequestSchema,
    /**
     * What the current wave waits for. `apply`: for edges to apply the revision; if the time runs out, everything is rolled back.
     * `soak`: for the end of the soak time; then the next wave starts. Null: it is paused or over, or control does not hear
     * the edges.
     */
    waiting: z.object({ for: z.enum(['apply', 'soak']), secondsLeft: z.int().min(0) }).nullable(),
    waves: z.array(
      z.object({
        name: z.string(),
        state: z.enum(['waiting', 'current', 'done']),
        edges: z.array(
          z.object({
            id: z.string(),
            region: z.string(),
            /** `skipped`: it was silent when its wave started, and gets the revision when it is back. */
            status: z.enum(['waiting', 'pending', 'applied', 'rejected', 'silent', 'skipped']),
          }),
        ),
      }),
    ),
  })
  .meta({ id: 'Rollout' })
export type RolloutView = z.infer<typeof rolloutSchema>

/** Logins and connections to servers of some edges in some time, and how many of them failed. */
const failureCountsSchema = z.object({
  logins: z.number(),
  failedLogins: z.number(),
  dials: z.number(),
  failedDials: z.number(),
})
export type FailureCounts = z.infer<typeof failureCountsSchema>

const judgedEdgesSchema = z.object({
  edges: z.int(),
  /** In the ten minutes before the rollout. */
  before: failureCountsSchema,
  /** From `since` to `until`. */
  now: failureCountsSchema,
})

/** The figures by which a rollout is judged: its edges now and before it, and the edges that it has not reached. */
export const rolloutHealthSchema = z
  .object({
    /** When all edges of the wave had applied the revision; until then, when the wave started. */
    since: z.iso.datetime(),
    until: z.iso.datetime(),
    /** Edges that have the revision. More failures than before by `errorShareMax` cause a rollback. */
    reached: judgedEdgesSchema,
    /** Edges of later waves, to compare. */
    rest: judgedEdgesSchema,
    /** With fewer logins or connections than this, nothing is judged. */
    loginsMin: z.int(),
    dialsMin: z.int(),
  })
  .meta({ id: 'RolloutHealth' })
export type RolloutHealth = z.infer<typeof rolloutHealthSchema>

/** A rollout without its edges: the number of edges of each wave. */
export const rolloutSummarySchema = rolloutSchema
  .omit({ waiting: true })
  .extend({
    waves: z.array(
      z.object({ name: z.string(), state: rolloutSchema.shape.waves.element.shape.state, edges: z.int() }),
    ),
  })
  .meta({ id: 'RolloutSummary' })
export type RolloutSummary = z.infer<typeof rolloutSummarySchema>

/** Newest first. `next` is the `before` of the next page. */
export const rolloutListSchema = z.object({
  rollouts: z.array(rolloutSummarySchema),
  next: z.int().nullable(),
})

const rolledRevision = decimalNumber(1, revisionMax)

export const rolloutRoutes = {
  listRollouts: route({
    method: 'GET',
    path: '/v1/rollouts',
    tag: 'rollouts',
    summary: 'Rollouts, newest first',
    role: 'viewer',
    limits: 'region',
    query: pageByRevision,
    answer: rolloutListSchema,
    returns: 'Rollouts',
  }),
  readRollout: route({
    method: 'GET',
    path: '/v1/rollouts/{revision}',
    tag: 'rollouts',
    summary: 'One rollout, wave by wave',
    role: 'viewer',
    limits: 'region',
    params: z.object({ revision: rolledRevision }),
    answer: rolloutSchema,
    returns: 'The rollout',
  }),
  readRolloutHealth: route({
    method: 'GET',
    path: '/v1/rollouts/{revision}/health',
    tag: 'rollouts',
    summary: 'The failures by which a rollout is judged, of its edges and of the others',
    role: 'viewer',
    limits: 'region',
    params: z.object({ revision: rolledRevision }),
    answer: rolloutHealthSchema,
    returns: 'The figures',
  }),
  steerRollout: route({
    method: 'POST',
    path: '/v1/rollouts/{revision}/{steering}',
    tag: 'rollouts',
    summary: 'Pause, resume or abort a rollout; abort restores the previous revision',
    role: 'operator',
    limits: 'region',
    params: z.object({ revision: rolledRevision, steering: z.enum(['pause', 'resume', 'abort']) }),
    answer: rolloutSchema,
    returns: 'The rollout',
  }),
} as const
