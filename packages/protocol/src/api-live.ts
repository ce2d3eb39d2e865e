/** The fleet as it is now: the events of `GET /v1/live`. */
import { z } from 'zod'
import { edgeStateSchema } from './api.ts'

const rate = z.number().nullable()

/** An edge as a live view shows it. Rates are those between its last two heartbeats; null while there is only one. */
export const liveEdgeSchema = z
  .object({
    id: z.string(),
    region: z.string(),
    state: edgeStateSchema,
    version: z.string(),
    lastSeenAt: z.iso.datetime(),
    /** Sessions that ended. */
    sessionsPerSecond: rate,
    loginsPerSecond: rate,
    /** Share of logins that found a warm connection; null where nobody logged in. */
    reuseRatio: rate,
    /** Logins that could not be served, wrong passwords aside. */
    errorsPerSecond: rate,
    loginP50Ms: rate,
    clients: z.number(),
    active: z.number(),
    cached: z.number(),
    waiting: z.number(),
    config: z.object({ wanted: z.int(), applied: z.int() }),
    degraded: z.array(z.string()),
  })
  .meta({ id: 'LiveEdge' })
export type LiveEdge = z.infer<typeof liveEdgeSchema>

/** The events `fleet`, first, with all edges; and `tick`, each second, with those that are otherwise than before. */
export const liveFleetSchema = z.object({
  at: z.iso.datetime(),
  /** Edges in this view; those of a large fleet come in several events. */
  total: z.int(),
  edges: z.array(liveEdgeSchema),
  /** Edges that are in this view no more: forgotten, or in another region now. */
  gone: z.array(z.string()).optional(),
})
export type LiveFleet = z.infer<typeof liveFleetSchema>

/** The event `trouble`: why there is no tick. */
export const liveTroubleSchema = z.object({ at: z.iso.datetime(), reason: z.string() })
