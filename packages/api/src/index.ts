/** Exports of @imapfleet/api: the schemas of all topics, and one table of all routes. */
import { accessRoutes } from './access.ts'
import { alertRoutes } from './alerts.ts'
import { configRoutes } from './config.ts'
import { edgeRoutes } from './edges.ts'
import { enrolmentRoutes } from './enrolments.ts'
import { historyRoutes } from './history.ts'
import { metricRoutes } from './fleet-metrics.ts'
import { liveRoutes } from './live.ts'
import { operationRoutes } from './operations.ts'
import { orderRoutes } from './orders.ts'
import { peopleRoutes } from './people.ts'
import { revocationRoutes } from './revocations.ts'
import { rolloutRoutes } from './rollouts.ts'
import { sessionRoutes } from './session.ts'
import { traceRoutes } from './traces.ts'

export * from './access.ts'
export * from './alert-rules.ts'
export * from './alerts.ts'
export * from './audit-csv.ts'
export * from './config.ts'
export * from './edges.ts'
export * from './enrolments.ts'
export * from './history.ts'
export * from './first-requests.ts'
export * from './history-csv.ts'
export * from './history-question.ts'
export * from './fleet-metrics.ts'
export * from './is-heard.ts'
export * from './layer.ts'
export * from './limits.ts'
export * from './live.ts'
export * from './match-path.ts'
export * from './operations.ts'
export * from './orders.ts'
export * from './people.ts'
export * from './problem.ts'
export * from './revocations.ts'
export * from './revision-number.ts'
export * from './rights.ts'
export * from './rollouts.ts'
export * from './route.ts'
export * from './safe.ts'
export * from './session.ts'
export * from './target.ts'
export * from './traces.ts'
export * from './words.ts'

/** Every route of the control API, by the name of its call. */
export const routes = {
  ...accessRoutes,
  ...alertRoutes,
  ...edgeRoutes,
  ...enrolmentRoutes,
  ...configRoutes,
  ...historyRoutes,
  ...liveRoutes,
  ...metricRoutes,
  ...operationRoutes,
  ...orderRoutes,
  ...peopleRoutes,
  ...revocationRoutes,
  ...rolloutRoutes,
  ...sessionRoutes,
  ...traceRoutes,
} as const
