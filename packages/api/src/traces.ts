/** Traces, as the control API starts and shows them, and the events of a live trace. */
import { configName } from '@imapfleet/config/names'
import { z } from 'zod'
import { pageById } from './pages.ts'
import { route } from './route.ts'

export const traceRequestSchema = z
  .object({
    user: z.string().min(1).max(1024),
    /** Only on the edges of this region. Left out: on all that the token may use. */
    region: configName.optional(),
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
    /** Only the edges of this region. Null: all edges. */
    region: z.string().nullable().default(null),
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

/** A stored line of a trace: what a live trace sends, with the name of the event as `kind`. */
export const storedTraceLineSchema = z.discriminatedUnion('kind', [
  traceEventSchema.extend({ kind: z.literal('line') }),
  traceEdgeEventSchema.extend({ kind: z.literal('edge') }),
])

const oneTrace = z.object({ id: z.uuid() })

export const traceRoutes = {
  startTrace: route({
    method: 'POST',
    path: '/v1/traces',
    tag: 'traces',
    summary:
      'Trace a user on every edge, or on those of a region; message bodies need the scope trace-bodies',
    description:
      'The trace ends after `seconds`, and when its token is revoked, expires, or loses the role, the scope or the right to its ' +
      'region or user.',
    role: 'operator',
    limits: 'both',
    scope: 'trace-bodies',
    body: traceRequestSchema,
    status: 201,
    answer: traceSchema,
    returns: 'The trace',
  }),
  listTraces: route({
    method: 'GET',
    path: '/v1/traces',
    tag: 'traces',
    summary: 'Traces, running or ended, newest first',
    role: 'operator',
    limits: 'both',
    query: pageById,
    answer: traceListSchema,
    returns: 'Traces',
  }),
  readTrace: route({
    method: 'GET',
    path: '/v1/traces/{id}',
    tag: 'traces',
    summary: 'One trace',
    role: 'operator',
    limits: 'both',
    params: oneTrace,
    answer: traceSchema,
    returns: 'The trace',
  }),
  endTrace: route({
    method: 'DELETE',
    path: '/v1/traces/{id}',
    tag: 'traces',
    summary: 'End a trace early',
    role: 'operator',
    limits: 'both',
    params: oneTrace,
    answer: traceSchema,
    returns: 'The ended trace',
  }),
  readTraceLines: route({
    method: 'GET',
    path: '/v1/traces/{id}/lines',
    tag: 'traces',
    summary: 'The stored lines of a trace, running or ended, one JSON object per line',
    description:
      'Each object has a `kind`: `line`, or `edge` (an edge joined or left). An answer that control ends early has a last ' +
      'line of the kind `closed`, with the problem, for example after the token was revoked.',
    role: 'operator',
    limits: 'both',
    scope: 'trace-bodies',
    params: oneTrace,
    text: 'application/jsonl',
    line: storedTraceLineSchema,
    returns: 'Lines',
  }),
  followTrace: route({
    method: 'GET',
    path: '/v1/traces/{id}/live',
    tag: 'traces',
    summary: 'The lines of a trace from the first, as Server-Sent Events',
    description:
      'Events: `line` (a line), `edge` (an edge joined or left), `end`; `closed` if control ends the stream early, with ' +
      'the problem, for example after the token was revoked. ' +
      'With `Last-Event-ID` the stream continues after that event.',
    role: 'operator',
    limits: 'both',
    scope: 'trace-bodies',
    params: oneTrace,
    events: { line: traceEventSchema, edge: traceEdgeEventSchema, end: z.object({}) },
    returns: 'Events',
  }),
} as const
