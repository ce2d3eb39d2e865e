/** The routes of metrics. Metrics of one process are with its health checks (platform/http/health.ts). */
import type { metricRoutes } from '@imapfleet/api'
import { prometheusContentType } from '@imapfleet/observe'
import type { Deps } from '../../deps.ts'
import { TextReply, type Handlers } from '../../platform/http/handlers.ts'
import { printFleetMetrics } from './service.ts'

export const metricHandlers = (deps: Deps): Handlers<typeof metricRoutes> => ({
  readFleetMetrics: async ({ actor }) =>
    new TextReply(await printFleetMetrics(deps, actor.limits), { 'content-type': prometheusContentType }),
})
