/** The configuration of the fleet: revisions, layers, keys, and the import of an imapproxy.conf. */
import { z } from 'zod'
import { json } from './json.ts'
import { layerNameSchema } from './layer.ts'
import { rolloutRequestSchema } from './rollouts.ts'
import { decimalNumber, pageByRevision, revisionMax } from './pages.ts'
import { route } from './route.ts'
import { layerText } from './words.ts'

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

/** Changes of several layers: all are made, in one transaction, or none. Each changed layer gets a revision. */
export const layerChangesRequestSchema = z
  .object({
    changes: z
      .array(revisionRequestSchema.pick({ layer: true, set: true, unset: true }))
      .min(1)
      .max(5_000)
      .refine(
        (changes) => new Set(changes.map(({ layer }) => layerText(layer))).size === changes.length,
        'name each layer once',
      ),
    note: z.string().max(1000).default(''),
    /** The revision that the changes are based on. Refused with 409 if it is not the newest. */
    base: z.int().min(0).optional(),
    dryRun: z.boolean().default(false),
    /** Only if a single layer changes. If left out, all edges get the changes immediately. */
    rollout: rolloutRequestSchema.optional(),
  })
  .meta({ id: 'LayerChangesRequest' })
export type LayerChangesRequest = z.input<typeof layerChangesRequestSchema>

/** Restores a layer to its content after an older revision, or undoes a revision. */
export const restoreRequestSchema = z
  .object({
    note: z.string().max(1000).default(''),
    base: z.int().min(0).optional(),
    dryRun: z.boolean().default(false),
    rollout: rolloutRequestSchema.optional(),
  })
  .meta({ id: 'RestoreRequest' })
export type RestoreRequest = z.input<typeof restoreRequestSchema>

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

export const layerChangesSchema = z
  .object({
    /** The newest revision: a further change is based on it. */
    newest: z.int(),
    /** One for each layer that changes. Layers that are the same already are left out. */
    revisions: z.array(revisionStatusSchema),
  })
  .meta({ id: 'LayerChanges' })
export type LayerChanges = z.infer<typeof layerChangesSchema>

export const configViewSchema = z
  .object({
    revision: z.int(),
    /** By `global`, `region/eu` or `edge/eu-1`. */
    layers: z.record(z.string(), z.record(z.string(), json)),
  })
  .meta({ id: 'Config' })
export type ConfigView = z.infer<typeof configViewSchema>

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

export const layerTextRequestSchema = z
  .object({ text: z.string().max(500_000) })
  .meta({ id: 'LayerTextRequest' })

/** The keys that a text of YAML sets. */
export const layerTextReadSchema = z
  .object({
    /** Dotted key → value. A list is a value. */
    set: z.record(z.string(), json),
    /** Null: the text can be read. */
    mistake: z.object({ message: z.string(), line: z.int().nullable() }).nullable(),
  })
  .meta({ id: 'LayerTextRead' })
export type LayerTextRead = z.infer<typeof layerTextReadSchema>

/** The layers of one edge, merged in the order global, region, edge. They override the edge's own file. */
export const resolvedConfigSchema = z
  .object({ revision: z.int(), layer: z.record(z.string(), json) })
  .meta({ id: 'ResolvedConfig' })

const oneRevision = z.object({ revision: decimalNumber(0, revisionMax) })
const ifMatchText =
  'With `If-Match`, the ETag of the configuration or a list of them, the change applies only if it is based on the newest ' +
  'revision. `base` does the same, and is refused with 409 instead of 412.'
const ifMatchHeader = z.object({ 'if-match': z.string().max(1_000).optional() })
const written = {
  status: 201,
  answer: revisionStatusSchema,
  returns: 'The new revision',
  otherwise: {
    status: 200,
    returns: 'The revision that would result: a dry run, or a request that changes nothing',
  },
} as const

/** Of a route that takes a layer, or a part of it, back to its state at a revision. */
const returned = {
  role: 'operator',
  limits: 'region',
  headers: ifMatchHeader,
  params: oneRevision,
  body: restoreRequestSchema,
  ...written,
} as const

export const configRoutes = {
  readConfig: route({
    method: 'GET',
    path: '/v1/config',
    tag: 'config',
    summary: 'All current layers, without secrets',
    role: 'viewer',
    limits: 'region',
    answer: configViewSchema,
    returns: 'The layers',
  }),
  listConfigKeys: route({
    method: 'GET',
    path: '/v1/config/keys',
    tag: 'config',
    summary: 'All keys that the fleet can set',
    role: 'viewer',
    limits: 'none',
    answer: configKeyListSchema,
    returns: 'The keys',
  }),
  importConf: route({
    method: 'POST',
    path: '/v1/config/import',
    tag: 'config',
    summary: 'Translate an imapproxy.conf line by line; nothing is written',
    role: 'operator',
    limits: 'none',
    body: confRequestSchema,
    answer: confReportSchema,
    returns: 'The keys, and a report for each line',
  }),
  parseLayerText: route({
    method: 'POST',
    path: '/v1/config/parse',
    tag: 'config',
    summary: 'Read a layer that is written as YAML; nothing is written, and the keys are not checked',
    role: 'operator',
    limits: 'none',
    body: layerTextRequestSchema,
    answer: layerTextReadSchema,
    returns: 'The keys, or the first mistake with its line',
  }),
  resolveConfig: route({
    method: 'GET',
    path: '/v1/config/resolved',
    tag: 'config',
    summary: "The layers that override one edge's file, merged, without secrets",
    role: 'viewer',
    limits: 'region',
    query: z.object({ edge: z.string().min(1).max(200) }),
    answer: resolvedConfigSchema,
    returns: 'The merged layers',
  }),
  writeRevision: route({
    method: 'POST',
    path: '/v1/config/revisions',
    tag: 'config',
    summary: 'Change a layer',
    description: ifMatchText,
    role: 'operator',
    limits: 'region',
    headers: ifMatchHeader,
    body: revisionRequestSchema,
    ...written,
  }),
  changeLayers: route({
    method: 'POST',
    path: '/v1/config/changes',
    tag: 'config',
    summary: 'Change several layers, all or none',
    description: `Edges get all changes at once. ${ifMatchText}`,
    role: 'operator',
    limits: 'region',
    headers: ifMatchHeader,
    body: layerChangesRequestSchema,
    status: 201,
    answer: layerChangesSchema,
    returns: 'The new revisions',
    otherwise: {
      status: 200,
      returns: 'The revisions that would result: a dry run, or a request that changes nothing',
    },
  }),
  listRevisions: route({
    method: 'GET',
    path: '/v1/config/revisions',
    tag: 'config',
    summary: 'Revisions, newest first',
    role: 'viewer',
    limits: 'region',
    query: pageByRevision,
    answer: revisionListSchema,
    returns: 'Revisions',
  }),
  readRevision: route({
    method: 'GET',
    path: '/v1/config/revisions/{revision}',
    tag: 'config',
    summary: 'One revision and its progress',
    role: 'viewer',
    limits: 'region',
    params: oneRevision,
    answer: revisionStatusSchema,
    returns: 'The revision',
  }),
  restoreRevision: route({
    method: 'POST',
    path: '/v1/config/revisions/{revision}/restore',
    tag: 'config',
    summary: 'Restore the layer to its state after this revision',
    description: ifMatchText,
    ...returned,
  }),
  undoRevision: route({
    method: 'POST',
    path: '/v1/config/revisions/{revision}/undo',
    tag: 'config',
    summary: 'Give the keys that this revision changed their values from before it',
    description:
      'Changes of other keys since then stay. Refused with 409 if a later revision changed one of the keys again, ' +
      `or if the revision is being rolled out. ${ifMatchText}`,
    ...returned,
  }),
} as const
