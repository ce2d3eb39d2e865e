/** The configuration of the fleet: revisions, layers, keys, and the import of an imapproxy.conf. */
import { z } from 'zod'
import { json } from './api-json.ts'
import { layerNameSchema } from './api-layer.ts'
import { rolloutRequestSchema } from './api-rollouts.ts'

export const revisionRequestSchema = z
  .object({
    layer: layerNameSchema,
    /** Dotted key → value. */
    set: z.record(z.string().max(500), json).default({}),
    unset: z.array(z.string().max(500)).default([]),
    note: z.string().max(1000).default(''),
    /** The revision that the change is based on. Refused with 409 if it is not the newest. */
    base: z.int().min(0).optional(),
    dryRun: z.boolean().default(false),
    /** If left out, all edges get the revision immediately. */
    rollout: rolloutRequestSchema.optional(),
  })
  .meta({ id: 'RevisionRequest' })
export type RevisionRequest = z.input<typeof revisionRequestSchema>

export const changeSchema = z
  .object({
    key: z.string(),
    before: json.nullable(),
    after: json.nullable(),
    /** `restart`: takes effect when the edge is restarted. */
    reload: z.enum(['live', 'restart']).optional(),
  })
  .meta({ id: 'Change' })

export const revisionSchema = z
  .object({
    revision: z.int(),
    createdAt: z.iso.datetime(),
    createdBy: z.string(),
    note: z.string(),
    layer: layerNameSchema,
    changes: z.array(changeSchema),
    /** `rolling`: a rollout is under way. `withdrawn`: reverted, in force on no edge. */
    state: z.enum(['released', 'rolling', 'withdrawn']).optional(),
  })
  .meta({ id: 'Revision' })
export type RevisionView = z.infer<typeof revisionSchema>

/** Newest first. `next` is the `before` of the next page. */
export const revisionListSchema = z.object({ revisions: z.array(revisionSchema), next: z.int().nullable() })

/** Progress of a revision on each edge that it applies to. */
export const revisionStatusSchema = z
  .object({
    revision: revisionSchema,
    edges: z.array(
      z.object({
        id: z.string(),
        region: z.string(),
        status: z.enum(['applied', 'pending', 'rejected', 'silent']),
        reason: z.string().nullable(),
      }),
    ),
    /** The waves of a dry run with a rollout. */
    waves: z.array(z.object({ name: z.string(), edges: z.array(z.string()) })).optional(),
  })
  .meta({ id: 'RevisionStatus' })
export type RevisionStatus = z.infer<typeof revisionStatusSchema>

export const configViewSchema = z
  .object({
    revision: z.int(),
    /** By `global`, `region/eu` or `edge/eu-1`. */
    layers: z.record(z.string(), z.record(z.string(), json)),
  })
  .meta({ id: 'Config' })

/** A configuration key that the fleet can set. */
export const configKeySchema = z
  .object({
    /** Dotted. NAME stands for a name that the operator chooses: `upstreams.NAME.port`. */
    key: z.string(),
    help: z.string(),
    reload: z.enum(['live', 'restart']),
    secret: z.boolean(),
    /** The allowed values, in words. */
    values: z.string(),
    /** All allowed values, if they are few. */
    choices: z.array(z.string()).optional(),
    preset: z.string().optional(),
  })
  .meta({ id: 'ConfigKey' })
export type ConfigKey = z.infer<typeof configKeySchema>
export const configKeyListSchema = z.object({ keys: z.array(configKeySchema) })

export const confRequestSchema = z
  .object({ text: z.string().min(1).max(500_000) })
  .meta({ id: 'ConfRequest' })

/** What an imapproxy.conf sets. */
export const confReportSchema = z
  .object({
    set: z.record(z.string(), json),
    /** The result for each line, and for keywords that the file leaves out. */
    report: z.array(
      z.object({
        keyword: z.string(),
        line: z.int().optional(),
        value: z.string().optional(),
        became: z.array(z.string()),
        note: z.string().optional(),
      }),
    ),
    /** Keys that the fleet cannot set. They belong in the file of each host. */
    kept: z.array(z.string()),
  })
  .meta({ id: 'ConfReport' })
export type ConfReport = z.infer<typeof confReportSchema>

/** The layers of one edge, merged in the order global, region, edge. They override the edge's own file. */
export const resolvedConfigSchema = z
  .object({ revision: z.int(), layer: z.record(z.string(), json) })
  .meta({ id: 'ResolvedConfig' })
