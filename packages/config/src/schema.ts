/**
 * The configuration of an edge, put together from its sections. One zod schema decides the types, defaults, bounds, help
 * texts and what takes effect without a restart; a new key is added to the file of its section.
 */
import { z } from 'zod'
import { contradictionsOf } from './contradictions.ts'
import { adminSection } from './sections/admin.ts'
import { clientsSection } from './sections/clients.ts'
import { edgeSection } from './sections/edge.ts'
import { fleetSection } from './sections/fleet.ts'
import { httpSection } from './sections/http.ts'
import { listenersSection } from './sections/listeners.ts'
import { logSection } from './sections/log.ts'
import { poolSection } from './sections/pool.ts'
import { processSection } from './sections/process.ts'
import { routesSection } from './sections/routes.ts'
import { traceSection } from './sections/trace.ts'
import { upstreamsSection } from './sections/upstreams.ts'

/** Checks every value on its own, but not whether they fit together. */
export const sectionsSchema = z.strictObject({
  edge: edgeSection,
  listeners: listenersSection,
  clients: clientsSection,
  upstreams: upstreamsSection,
  routes: routesSection,
  pool: poolSection,
  admin: adminSection,
  trace: traceSection,
  log: logSection,
  http: httpSection,
  fleet: fleetSection,
  process: processSection,
})

/** A whole configuration. Every key has a default, so a file names only what differs. */
export const edgeConfigSchema = sectionsSchema.superRefine((config, context) => {
  for (const { path, message } of contradictionsOf(config))
    context.addIssue({ code: 'custom', path, message })
})

export type EdgeConfig = z.infer<typeof edgeConfigSchema>
export type PoolConfig = EdgeConfig['pool']

/** The sections that the fleet may set. The other ones are set only by the file of the host. */
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
