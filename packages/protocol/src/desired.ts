/** Desired state: what one edge should run, as a whole, in one KV entry. The newest `version` wins. */
import { z } from 'zod'
import { wireVersion } from './envelope.ts'

export const traceWishSchema = z.object({
  id: z.uuid(),
  user: z.string().min(1).max(1024),
  /** Milliseconds since 1970; the edge ends the trace by itself. */
  expiresAt: z.int().min(0),
  bytesMax: z.int().min(1),
  /** Literals (message bodies) as they are instead of their length. */
  bodies: z.boolean(),
})
export type TraceWish = z.infer<typeof traceWishSchema>

export const revocationSchema = z.object({
  sequence: z.int().min(1),
  kind: z.enum(['user', 'domain']),
  /** User name, or domain without @. */
  subject: z.string().min(1).max(1024),
  /** Warm connections made before this moment are dropped. Milliseconds since 1970. */
  at: z.int().min(0),
})
export type Revocation = z.infer<typeof revocationSchema>

export const desiredSchema = z.object({
  v: z.literal(wireVersion),
  /** Grows with every change of anything below. */
  version: z.int().min(1),
  config: z.object({
    /** Revision that this document belongs to; 0: nothing was ever set. */
    revision: z.int().min(0),
    /** global ← region ← edge, merged: laid by the edge over its own file. */
    layer: z.record(z.string(), z.unknown()),
  }),
  traces: z.array(traceWishSchema).max(1000),
  revocations: z.array(revocationSchema).max(10_000),
  drain: z.boolean(),
})
export type Desired = z.infer<typeof desiredSchema>

/** The core message that tells edges to read their key again. */
export const desiredChangedSchema = z.object({ v: z.literal(wireVersion), version: z.int().min(1) })
export type DesiredChanged = z.infer<typeof desiredChangedSchema>
