/**
 * The configuration of an edge: one zod object is the truth for types, defaults, bounds, help text and reload
 * behaviour. Sections that the fleet may steer stand in `steerableSections`; the rest belongs to the host.
 */
import { z } from 'zod'
import { admin, clients, listener } from './client-side.ts'
import { contradictionsOf } from './contradictions.ts'
import { name } from './fields.ts'
import { fleet, http, identity, log, processSection, trace } from './host-side.ts'
import { pool, route, upstream } from './upstream-side.ts'

/** Each section and field by itself. */
export const sectionsSchema = z.strictObject({
  edge: identity.prefault({}),
  listeners: z.record(name, listener).default(() => ({ imap: listener.parse({}) })),
  clients: clients.prefault({}),
  upstreams: z.record(name, upstream).default(() => ({ main: upstream.parse({}) })),
  routes: z.array(route).max(10_000).default([]),
  pool: pool.prefault({}),
  admin: admin.prefault({}),
  trace: trace.prefault({}),
  log: log.prefault({}),
  http: http.prefault({}),
  fleet: fleet.prefault({}),
  process: processSection.prefault({}),
})

/** Everything an edge can be told. Every key has a default; a file names only what differs. */
export const edgeConfigSchema = sectionsSchema.superRefine((config, context) => {
  for (const { path, message } of contradictionsOf(config))
    context.addIssue({ code: 'custom', path, message })
})

export type EdgeConfig = z.infer<typeof edgeConfigSchema>
export type ListenerConfig = z.infer<typeof listener>
export type UpstreamConfig = z.infer<typeof upstream>
export type PoolConfig = z.infer<typeof pool>
export type RouteConfig = z.infer<typeof route>

/** What the fleet may set. The rest (`edge`, `fleet`, `process`, `http`) is the host's own and never pushed. */
export const steerableSections = [
  'listeners',
  'clients',
  'upstreams',
  'routes',
  'pool',
  'admin',
  'trace',
  'log',
] as const
