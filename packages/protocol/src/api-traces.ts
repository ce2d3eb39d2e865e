/** Traces, as the control API starts and shows them, and the events of a live trace. */
import { z } from 'zod'

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
