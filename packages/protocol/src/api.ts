/** Requests and answers of the control API: edges, configuration, history and traces. */
import { z } from 'zod'
import { json } from './api-json.ts'
import { layerNameSchema } from './api-layer.ts'
import { rolloutRequestSchema } from './api-rollouts.ts'

/** RFC 9457. docs/failure-modes.md lists the codes. */
export const problemDetailsSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string().optional(),
    code: z.string(),
    problems: z.array(z.object({ key: z.string(), message: z.string() })).optional(),
    /** The newest revision, if the change was based on an older one. */
    newest: z.int().optional(),
  })
  .meta({ id: 'Problem' })
export type ProblemDetails = z.infer<typeof problemDetailsSchema>

/** `serving`, `draining` and `stopping` are reported by the edge. `silent`: three heartbeats are missing. */
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
    /** Idle and leased server connections, and client connections, from the last heartbeat. */
    connections: z.object({ cached: z.int(), active: z.int(), clients: z.int() }),
    /** Server connections by state, and logins waiting for one, from the last heartbeat. */
    pool: z
      .object({ dialing: z.int(), leased: z.int(), resetting: z.int(), idle: z.int(), waiting: z.int() })
      .optional(),
    upstreams: z.array(z.object({ name: z.string(), healthy: z.boolean() })).optional(),
    config: z.object({
      /** The revision that this edge should run. */
      wanted: z.int(),
      applied: z.int(),
      rejected: z.object({ revision: z.int(), reason: z.string() }).nullable(),
    }),
    degraded: z.array(z.string()),
    listeners: z.array(z.string()),
    /** The edge should drain. Its state becomes `draining`; `connections.clients` is the number of clients left. */
    drain: z.boolean().optional(),
    /** `revoked`: NATS refuses it. Missing: the edge never had a credential of its own. */
    credential: z.enum(['valid', 'revoked']).optional(),
    /** When it was forgotten. A forgotten edge is in no list; its next heartbeat removes the mark. */
    forgottenAt: z.iso.datetime().optional(),
  })
  .meta({ id: 'Edge' })
export type EdgeView = z.infer<typeof edgeSchema>

/** By region and id. `next` is the `after` of the next page. */
export const edgeListSchema = z.object({ edges: z.array(edgeSchema), next: z.string().nullable().optional() })

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
    /** If left out, all edges get the revision at once. */
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

/** Progress of a revision on each edge that it is for. */
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

/** global ← region ← edge, merged for one edge. It lies over the edge's own file. */
export const resolvedConfigSchema = z
  .object({ revision: z.int(), layer: z.record(z.string(), json) })
  .meta({ id: 'ResolvedConfig' })

/** Metrics over time, by group. A value is null if nothing was reported in its step. */
export const historySchema = z
  .object({
    from: z.iso.datetime(),
    to: z.iso.datetime(),
    stepSeconds: z.int(),
    /** The data it was computed from: the reports, or rollups of 10 s, 1 minute or 1 hour. */
    resolution: z.enum(['reports', '10s', '1m', '1h']),
    groupBy: z.enum(['fleet', 'region', 'edge', 'upstream']),
    metrics: z.array(z.string()),
    groups: z.array(
      z.object({
        group: z.string(),
        /** One array for each metric, in the order of `metrics`, with one value for each step. */
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

/** The event `line` of a live trace. */
export const traceEventSchema = z.object({
  at: z.int(),
  edge: z.string(),
  region: z.string(),
  session: z.string(),
  from: z.enum(['C', 'S', '*']),
  text: z.string(),
})
export type TraceEvent = z.infer<typeof traceEventSchema>

/** The event `edge` of a live trace: an edge started or ended the trace. */
export const traceEdgeEventSchema = z.object({
  edge: z.string(),
  region: z.string(),
  state: z.enum(['tracing', 'ended']),
  reason: z.string().optional(),
})
export type TraceEdgeEvent = z.infer<typeof traceEdgeEventSchema>
