/** Edges, as the control API shows them. */
import { z } from 'zod'
import { operationSchema } from './operations.ts'
import { drainRequestSchema, resumeRequestSchema } from './orders.ts'
import { decimalNumber } from './pages.ts'
import { route } from './route.ts'

/**
 * `serving`, `draining` and `stopping` are reported by the edge. `silent`: three heartbeats are missing. `incompatible`: it
 * sends heartbeats of another wire version.
 */
export const edgeStateSchema = z.enum(['serving', 'draining', 'stopping', 'silent', 'incompatible'])

/** Something that is wrong with an edge. */
export const edgeProblemSchema = z
  .object({
    /**
     * `reported`: by the edge itself. `unsaved`: it cannot write its state directory. `drift`: it runs another revision
     * than it should. `refused`: control refuses some of its messages.
     */
    kind: z.enum([
      'silent',
      'wire-version',
      'credential',
      'instances',
      'unsaved',
      'rejected',
      'drift',
      'clock',
      'refused',
      'reported',
    ]),
    severity: z.enum(['bad', 'warning']),
    /** For an operator. It follows the name of the edge, and has no full stop. */
    text: z.string(),
  })
  .meta({ id: 'EdgeProblem' })
export type EdgeProblem = z.infer<typeof edgeProblemSchema>

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
    /** The configured limits on client connections, and on server connections of all upstreams together. */
    limits: z.object({ clients: z.int(), connections: z.int() }).optional(),
    /** `paused`: by an operator. Missing: the edge does not say. */
    upstreams: z
      .array(z.object({ name: z.string(), healthy: z.boolean(), paused: z.boolean().optional() }))
      .optional(),
    config: z.object({
      /** The revision that this edge should run. */
      wanted: z.int(),
      applied: z.int(),
      rejected: z.object({ revision: z.int(), reason: z.string() }).nullable(),
    }),
    /** What the edge reports. It is part of `problems`. */
    degraded: z.array(z.string()),
    /** Everything that is wrong, the most serious first. */
    problems: z.array(edgeProblemSchema).default([]),
    /** Processes that use this edge id: more than one is a mistake. */
    instances: z.int().optional(),
    /** The clock of the edge minus that of control, in milliseconds. Null: unknown. */
    clockSkewMs: z.number().nullable().optional(),
    /** Version of the protocol that the edge speaks. */
    wireVersion: z.int().optional(),
    listeners: z.array(z.string()),
    /** The edge should drain. Its state becomes `draining`; `connections.clients` is the number of clients left. */
    drain: z.boolean().optional(),
    /** `revoked`, or expired: NATS refuses it. Missing: the edge never had a credential of its own. */
    credential: z.enum(['valid', 'revoked']).optional(),
    /** When it was forgotten. A forgotten edge is in no list; its next heartbeat removes the mark. */
    forgottenAt: z.iso.datetime().optional(),
  })
  .meta({ id: 'Edge' })
export type EdgeView = z.infer<typeof edgeSchema>

/** By region and id. `next` is the `after` of the next page. */
export const edgeListSchema = z.object({
  edges: z.array(edgeSchema),
  next: z.string().nullable().optional(),
  /** What is wrong with the fleet as a whole, as sentences. */
  problems: z.array(z.string()).optional(),
})

/** The edges of a drain. `operation`: if they are drained region by region. */
export const drainSchema = z.object({ edges: z.array(edgeSchema), operation: operationSchema.optional() })

const oneEdge = z.object({ id: z.string().min(1).max(200) })

export const edgeRoutes = {
  listEdges: route({
    method: 'GET',
    path: '/v1/edges',
    tag: 'edges',
    summary: 'All edges except forgotten ones, by region and name',
    role: 'viewer',
    limits: 'region',
    query: z.object({
      limit: decimalNumber(1, 5_000).default(5_000),
      /** `next` of the previous page. */
      after: z.string().max(63).optional(),
    }),
    answer: edgeListSchema,
    returns: 'Edges',
  }),
  readEdge: route({
    method: 'GET',
    path: '/v1/edges/{id}',
    tag: 'edges',
    summary: 'One edge, even a forgotten one',
    role: 'viewer',
    limits: 'region',
    params: oneEdge,
    answer: edgeSchema,
    returns: 'The edge',
  }),
  forgetEdge: route({
    method: 'DELETE',
    path: '/v1/edges/{id}',
    tag: 'edges',
    summary: 'Remove an edge from the fleet for good; its next heartbeat returns it',
    role: 'operator',
    limits: 'region',
    params: oneEdge,
    answer: edgeSchema,
    returns: 'The forgotten edge',
  }),
  drainEdges: route({
    method: 'POST',
    path: '/v1/edges/drain',
    tag: 'edges',
    summary: 'Drain edges: they accept no new clients, and their sessions continue',
    role: 'operator',
    limits: 'region',
    body: drainRequestSchema,
    answer: drainSchema,
    returns: 'The edges in the target',
  }),
  adoptEdges: route({
    method: 'POST',
    path: '/v1/edges/adopt',
    tag: 'edges',
    summary: 'Confirm that this database is the right one, although edges run the state of another one',
    description:
      'Control publishes no desired state while its database has no revision and edges run the state of another database. ' +
      'After this the state of this database is published: edges without a layer in it return to their own files.',
    role: 'admin',
    limits: 'unlimited-only',
    answer: z.object({ adopted: z.array(z.string()) }),
    returns: 'The edges that run the state of another database',
  }),
  resumeEdges: route({
    method: 'POST',
    path: '/v1/edges/resume',
    tag: 'edges',
    summary: 'End a drain: the edges accept clients again',
    role: 'operator',
    limits: 'region',
    body: resumeRequestSchema,
    answer: drainSchema,
    returns: 'The edges in the target',
  }),
} as const
