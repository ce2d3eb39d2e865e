/** Edges, as the control API shows them. */
import { z } from 'zod'

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
