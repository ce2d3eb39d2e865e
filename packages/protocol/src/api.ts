/** Requests and answers of the control API that the CLI and the console share with it. */
import { z } from 'zod'
import { json } from './api-json.ts'
import { layerNameSchema } from './api-layer.ts'
import { rolloutRequestSchema } from './api-rollouts.ts'

/** RFC 9457. `code` is one of docs/failure-modes.md. */
export const problemDetailsSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string().optional(),
    code: z.string(),
    problems: z.array(z.object({ key: z.string(), message: z.string() })).optional(),
    /** The newest revision, where a change was made on an older one. */
    newest: z.int().optional(),
  })
  .meta({ id: 'Problem' })
export type ProblemDetails = z.infer<typeof problemDetailsSchema>

/** `serving`, `draining`, `stopping` as the edge says; `silent`: it has not been heard of for three heartbeats. */
export const edgeStateSchema = z.enum(['serving', 'draining', 'stopping', 'silent'])

export const edgeSchema = z
  .object({
    id: z.string(),
    region: z.string(),
    state: edgeStateSchema,
    version: z.string(),
    boot: z.string(),
    startedAt: z.iso.datetime(),
    lastSeenAt: z.iso.datetime(),
    /** Connections held for users, from the last heartbeat. */
    connections: z.object({ cached: z.int(), active: z.int(), clients: z.int() }),
    /** Connections to mail servers by state, and logins that wait for one, from the last heartbeat. */
    pool: z
      .object({ dialing: z.int(), leased: z.int(), resetting: z.int(), idle: z.int(), waiting: z.int() })
      .optional(),
    upstreams: z.array(z.object({ name: z.string(), healthy: z.boolean() })).optional(),
    config: z.object({
      /** Revision this edge should run. */
      wanted: z.int(),
      applied: z.int(),
      rejected: z.object({ revision: z.int(), reason: z.string() }).nullable(),
    }),
    degraded: z.array(z.string()),
    listeners: z.array(z.string()),
    /** It should take no clients: `draining` follows, and `connections.clients` says how many are left. */
    drain: z.boolean().optional(),
    /** `revoked`: NATS lets it in no more. Missing: it was never given a credential of its own. */
    credential: z.enum(['valid', 'revoked']).optional(),
    /** Since when it is out of the fleet and of every list; gone as soon as it is heard of again. */
    forgottenAt: z.iso.datetime().optional(),
  })
  .meta({ id: 'Edge' })
export type EdgeView = z.infer<typeof edgeSchema>

/** By region and name; `next` is the `after` of the following page. */
export const edgeListSchema = z.object({ edges: z.array(edgeSchema), next: z.string().nullable().optional() })

export const revisionRequestSchema = z
  .object({
    layer: layerNameSchema,
    /** Dotted key → value. */
    set: z.record(z.string().max(500), json).default({}),
    unset: z.array(z.string().max(500)).default([]),
    note: z.string().max(1000).default(''),
    /** Revision the change was made on; refused with 409 if another came first. */
    base: z.int().min(0).optional(),
    dryRun: z.boolean().default(false),
    /** In waves; without, to all edges at once. */
    rollout: rolloutRequestSchema.optional(),
  })
  .meta({ id: 'RevisionRequest' })
export type RevisionRequest = z.input<typeof revisionRequestSchema>

export const changeSchema = z
  .object({
    key: z.string(),
    before: json.nullable(),
    after: json.nullable(),
    /** `restart`: an edge follows only when it is started again. */
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
    /** `rolling`: on its way in waves. `withdrawn`: taken back, and in force nowhere. */
    state: z.enum(['released', 'rolling', 'withdrawn']).optional(),
  })
  .meta({ id: 'Revision' })
export type RevisionView = z.infer<typeof revisionSchema>

/** Newest first; `next` is the `before` of the following page. */
export const revisionListSchema = z.object({ revisions: z.array(revisionSchema), next: z.int().nullable() })

/** How far a revision has come on each edge it is meant for. */
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
    /** Of a dry run with a rollout: which edges would get it one wave after the other. */
    waves: z.array(z.object({ name: z.string(), edges: z.array(z.string()) })).optional(),
  })
  .meta({ id: 'RevisionStatus' })
export type RevisionStatus = z.infer<typeof revisionStatusSchema>

export const configViewSchema = z
  .object({
    revision: z.int(),
    /** `global`, `region/eu`, `edge/eu-1` → its layer. */
    layers: z.record(z.string(), z.record(z.string(), json)),
  })
  .meta({ id: 'Config' })

/** What the fleet can set. */
export const configKeySchema = z
  .object({
    /** NAME stands for a name of one's own: `upstreams.NAME.port`. */
    key: z.string(),
    help: z.string(),
    reload: z.enum(['live', 'restart']),
    secret: z.boolean(),
    /** What may stand there, in words. */
    values: z.string(),
    /** Where only a few values may stand there: which. */
    choices: z.array(z.string()).optional(),
    preset: z.string().optional(),
  })
  .meta({ id: 'ConfigKey' })
export type ConfigKey = z.infer<typeof configKeySchema>
export const configKeyListSchema = z.object({ keys: z.array(configKeySchema) })

export const confRequestSchema = z
  .object({ text: z.string().min(1).max(500_000) })
  .meta({ id: 'ConfRequest' })

/** What an imapproxy.conf would set. */
export const confReportSchema = z
  .object({
    set: z.record(z.string(), json),
    /** What became of each of its lines, and of keywords that it does not have. */
    report: z.array(
      z.object({
        keyword: z.string(),
        line: z.int().optional(),
        value: z.string().optional(),
        became: z.array(z.string()),
        note: z.string().optional(),
      }),
    ),
    /** Keys that are not for the fleet to set: they belong into the file of each host. */
    kept: z.array(z.string()),
  })
  .meta({ id: 'ConfReport' })
export type ConfReport = z.infer<typeof confReportSchema>

/** global ← region ← edge, merged for one edge: what the fleet lays over that edge's own file. */
export const resolvedConfigSchema = z
  .object({ revision: z.int(), layer: z.record(z.string(), json) })
  .meta({ id: 'ResolvedConfig' })

/** One row of a history: a time, a group, and one value a metric; null where nothing was reported. */
export const historySchema = z
  .object({
    from: z.iso.datetime(),
    to: z.iso.datetime(),
    stepSeconds: z.int(),
    /** What it was worked out from: the reports themselves, or what was counted within 10 s, a minute or an hour. */
    resolution: z.enum(['reports', '10s', '1m', '1h']),
    groupBy: z.enum(['fleet', 'region', 'edge', 'upstream']),
    metrics: z.array(z.string()),
    groups: z.array(
      z.object({
        group: z.string(),
        /** One array a metric, in the order of `metrics`; one value a step. */
        values: z.array(z.array(z.number().nullable())),
        totals: z.array(z.number().nullable()),
      }),
    ),
  })
  .meta({ id: 'History' })
export type History = z.infer<typeof historySchema>

export const traceRequestSchema = z
  .object({
    user: z.string().min(1).max(1024),
    seconds: z.int().min(1).max(86_400).default(600),
    bytesMax: z.int().min(1024).max(1_073_741_824).default(16_777_216),
    bodies: z.boolean().default(false),
  })
  .meta({ id: 'TraceRequest' })
export type TraceRequest = z.input<typeof traceRequestSchema>

export const traceSchema = z
  .object({
    id: z.uuid(),
    user: z.string(),
    createdBy: z.string(),
    createdAt: z.iso.datetime(),
    expiresAt: z.iso.datetime(),
    endedAt: z.iso.datetime().nullable(),
    bodies: z.boolean(),
  })
  .meta({ id: 'Trace' })
export type TraceView = z.infer<typeof traceSchema>

export const traceListSchema = z.object({ traces: z.array(traceSchema), next: z.uuid().nullable() })

/** One Server-Sent Event `line` of a live trace. */
export const traceEventSchema = z.object({
  at: z.int(),
  edge: z.string(),
  region: z.string(),
  session: z.string(),
  from: z.enum(['C', 'S', '*']),
  text: z.string(),
})
export type TraceEvent = z.infer<typeof traceEventSchema>

/** One Server-Sent Event `edge` of a live trace: an edge takes part, or has ended its part. */
export const traceEdgeEventSchema = z.object({
  edge: z.string(),
  region: z.string(),
  state: z.enum(['tracing', 'ended']),
  reason: z.string().optional(),
})
export type TraceEdgeEvent = z.infer<typeof traceEdgeEventSchema>
