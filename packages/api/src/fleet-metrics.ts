/** The metrics of the fleet, for Prometheus. */
import { route } from './route.ts'

export const metricRoutes = {
  readFleetMetrics: route({
    method: 'GET',
    path: '/v1/metrics',
    tag: 'stats',
    summary: 'All edges for Prometheus, as of their last heartbeat',
    role: 'viewer',
    limits: 'region',
    text: 'text/plain',
    returns: 'Metrics',
  }),
} as const
