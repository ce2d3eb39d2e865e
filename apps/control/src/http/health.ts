/** Whether this process lives, and whether it can work: no token needed. */
import { Hono } from 'hono'
import type { Deps } from '../deps.ts'
import { checkHealth } from '../verbs/check-health.ts'
import type { Env } from './routes.ts'

export const healthRoutes = (deps: Deps) =>
  new Hono<Env>()
    .get('/healthz', (context) => context.json({ alive: true }))
    .get('/readyz', async (context) => {
      const health = await checkHealth(deps)
      return context.json(health, health.ready ? 200 : 503)
    })
