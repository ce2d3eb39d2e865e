/** Desired state: everything that one edge should run, in one KV entry. The highest `version` wins. */
import { configName } from '@imapfleet/config/names'
import { z } from 'zod'
import { instant, storableText, wireVersion } from './envelope.ts'
import type { EdgeAddress } from './subjects.ts'

/**
 * A version of the desired state: the time of the change in microseconds since 1970. After the restore of an older
 * database, new versions are therefore above all that were issued before. The bound is in the year 2223, and leaves
 * room for later versions below the largest safe integer.
 */
export const desiredVersionSchema = z.int().min(0).max(8_000_000_000_000_000)

/**
 * For each layer of a configuration, the version that made its revision; 0: there is no such layer. Numbers of revisions
 * can occur twice, before and after the restore of an older database. These cannot.
 */
export const layerVersionsSchema = z.object({
  global: desiredVersionSchema,
  region: desiredVersionSchema,
  edge: desiredVersionSchema,
})
export type LayerVersions = z.infer<typeof layerVersionsSchema>

export const desiredTraceSchema = z.object({
  id: z.uuid(),
  user: z.string().min(1).max(1024),
  /** Milliseconds since 1970. The edge then ends the trace without being told. */
  expiresAt: z.int().min(0),
  bytesMax: z.int().min(1),
  /** Include mail: bodies, headers, search words. If false, its length is shown in its place. */
  bodies: z.boolean(),
})
export type DesiredTrace = z.infer<typeof desiredTraceSchema>

export const revocationSchema = z.object({
  /** The version that introduced it. */
  sequence: z.int().min(1),
  kind: z.enum(['user', 'domain']),
  /** User name, or domain without @. */
  subject: storableText(1024).min(1),
  /**
   * When it was made. Milliseconds since 1970. An edge does not compare it with its own clock: when it applies the
   * revocation, it drops every matching connection.
   */
  at: instant,
})
export type Revocation = z.infer<typeof revocationSchema>

export const desiredSchema = z.object({
  v: z.literal(wireVersion),
  /** Increases with every change of the fields below. */
  version: desiredVersionSchema.min(1),
  config: z.object({
    /** The revision of the layer; 0: none was ever written. */
    revision: z.int().min(0),
    /** The layers of this edge, merged in the order global, region, edge. They override the edge's own file. */
    layer: z.record(z.string(), z.unknown()),
    /** Missing: control is older than this field. */
    versions: layerVersionsSchema.optional(),
  }),
  traces: z.array(desiredTraceSchema).max(1000),
  revocations: z.array(revocationSchema).max(10_000),
  drain: z.boolean(),
})
export type Desired = z.infer<typeof desiredSchema>

/** If more edges are affected, the message names none, and all edges read their key. */
export const namedEdgesMax = 200

/** The core NATS message after which edges read their key again. */
export const desiredChangedSchema = z.object({
  v: z.literal(wireVersion),
  version: z.int().min(1),
  /** Only these edges need to read. Missing: all. An edge that is older than this field always reads. */
  edges: z.array(configName).max(namedEdgesMax).optional(),
  /** The time of control. An edge whose clock is wrong learns from it when a trace expires. */
  at: instant.optional(),
})
export type DesiredChanged = z.infer<typeof desiredChangedSchema>

/** Whether this edge must read its key. If each edge that starts made all others read, a fleet could not start. */
export const isConcerned = ({ edges }: DesiredChanged, { edge }: EdgeAddress): boolean =>
  edges === undefined || edges.includes(edge)
