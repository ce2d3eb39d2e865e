/** Liveness, readiness and the metrics of this process. No token needed. */
import { controlMetrics, printPrometheus, prometheusContentType } from '@imapfleet/observe'
import { Hono } from 'hono'
import type { Deps } from '../../deps.ts'
import { checkHealth } from './check-health.ts'
import type { Env } from './handlers.ts'

export const healthRoutes = (deps: Deps) =>
  new Hono<Env>()
    .get('/healthz', (context) => context.json({ alive: true }))
    .get('/readyz', async (context) => {
      const health = await checkHealth(deps)
      return context.json(health, health.ready ? 200 : 503)
    })
    .get('/metrics', (context) =>
      context.body(printPrometheus(controlMetrics, [deps.metrics.snapshot()]), 200, {
        'content-type': prometheusContentType,
      }),
    )
