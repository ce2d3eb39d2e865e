/** Rollouts: a revision that reaches its edges in waves, each waiting for the one before it to be well. */
import { configName } from '@imapfleet/config/names'
import { z } from 'zod'
import { layerNameSchema } from './api-layer.ts'

export const rolloutRequestSchema = z
  .object({
    /** The first wave: these edges, and so many of a hundred besides. */
    canaryEdges: z.array(configName).max(1000).default([]),
    canaryPercent: z.number().min(0).max(100).default(0),
    /** Regions in this order, one wave each; the others follow by name. */
    regions: z.array(configName).max(200).default([]),
    /** How long a wave is watched after all of its edges have applied the revision. */
    soakSeconds: z.int().min(0).max(86_400).default(30),
    /** How long an edge may take to apply it, or be silent, before all is rolled back. */
    silenceSeconds: z.int().min(1).max(3_600).default(60),
    /** By how much the share of failed logins or upstream connections may grow: 0.05 is five of a hundred. */
    errorShareMax: z.number().min(0).max(1).default(0.05),
  })
  .meta({ id: 'RolloutRequest' })
export type RolloutRequest = z.input<typeof rolloutRequestSchema>
export type RolloutSettings = z.output<typeof rolloutRequestSchema>

/** `paused`: nothing moves, neither on nor back. */
export const rolloutStateSchema = z.enum(['running', 'paused', 'completed', 'rolled-back', 'aborted'])
export type RolloutState = z.infer<typeof rolloutStateSchema>

export const rolloutSchema = z
  .object({
    revision: z.int(),
    layer: layerNameSchema,
    state: rolloutStateSchema,
    /** Why it was rolled back or aborted. */
    reason: z.string().nullable(),
    createdAt: z.iso.datetime(),
    createdBy: z.string(),
    finishedAt: z.iso.datetime().nullable(),
    /** The revision that took it back. */
    undoneBy: z.int().nullable(),
    settings: rolloutRequestSchema,
    waves: z.array(
      z.object({
        name: z.string(),
        state: z.enum(['waiting', 'current', 'done']),
        edges: z.array(
          z.object({
            id: z.string(),
            region: z.string(),
            /** `skipped`: it was silent when its wave began, and gets the revision when it is back. */
            status: z.enum(['waiting', 'pending', 'applied', 'rejected', 'silent', 'skipped']),
          }),
        ),
      }),
    ),
  })
  .meta({ id: 'Rollout' })
export type RolloutView = z.infer<typeof rolloutSchema>

/** Newest first. */
export const rolloutListSchema = z.object({ rollouts: z.array(rolloutSchema), next: z.int().nullable() })

/** Makes a layer again what it was after an older revision. */
export const restoreRequestSchema = z
  .object({
    note: z.string().max(1000).default(''),
    base: z.int().min(0).optional(),
    dryRun: z.boolean().default(false),
    rollout: rolloutRequestSchema.optional(),
  })
  .meta({ id: 'RestoreRequest' })
export type RestoreRequest = z.input<typeof restoreRequestSchema>
