/** The current state of the fleet: the events of `GET /v1/live`. */
import { z } from 'zod'
import { edgeProblemSchema, edgeStateSchema } from './edges.ts'
import { route } from './route.ts'

const rate = z.number().nullable()

/** An edge in a live view. Rates are between its last two heartbeats, and null after the first one. */
export const liveEdgeSchema = z
  .object({
    id: z.string(),
    region: z.string(),
    state: edgeStateSchema,
    version: z.string(),
    lastSeenAt: z.iso.datetime(),
    /** Sessions that ended, per second. */
    sessionsPerSecond: rate,
    loginsPerSecond: rate,
    /** Share of logins served by an idle connection; null without logins. */
    reuseRatio: rate,
    /** Failed logins, without those that the server refused because of the password. */
    errorsPerSecond: rate,
    loginP50Ms: rate,
    clients: z.number(),
    active: z.number(),
    cached: z.number(),
    waiting: z.number(),
    config: z.object({ wanted: z.int(), applied: z.int() }),
    degraded: z.array(z.string()),
    /** Everything that is wrong, the most serious first. */
    problems: z.array(edgeProblemSchema).default([]),
  })
  .meta({ id: 'LiveEdge' })
export type LiveEdge = z.infer<typeof liveEdgeSchema>

/** The events `fleet`, sent first, with all edges; and `tick`, sent each second, with the edges that changed. */
export const liveFleetSchema = z.object({
  at: z.iso.datetime(),
  /** Number of edges in this view. A large fleet is sent in several `fleet` events. */
  total: z.int(),
  edges: z.array(liveEdgeSchema),
  /** Ids of edges that left this view: forgotten, or moved to another region. */
  gone: z.array(z.string()).optional(),
})

/** The event `trouble`: why there are no ticks. */
export const liveTroubleSchema = z.object({ at: z.iso.datetime(), reason: z.string() })

export const liveRoutes = {
  followFleet: route({
    method: 'GET',
    path: '/v1/live',
    tag: 'edges',
    summary: 'The state of the fleet every second, as Server-Sent Events',
    description:
      'Events: `fleet` (the first: all edges; in a large fleet the first ones, with the rest in the next event), ' +
      '`tick` (every second: the edges that changed; `gone` lists those that left), ' +
      '`trouble` (why there is no tick). All three have `at`. `closed` is the last one if control ends the stream, with the ' +
      'problem, for example after the token was revoked.',
    role: 'viewer',
    limits: 'region',
    query: z.object({ region: z.string().max(63).optional() }),
    events: { fleet: liveFleetSchema, tick: liveFleetSchema, trouble: liveTroubleSchema },
    returns: 'Events',
  }),
} as const
