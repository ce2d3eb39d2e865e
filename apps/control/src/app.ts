/** The API as one fetch handler. It gets its dependencies as arguments, and keeps no state between requests. */
import { OpenAPIHono } from '@hono/zod-openapi'
import { isNatsError } from '@imapfleet/nats'
import { reasonOf } from '@imapfleet/observe'
import type { MiddlewareHandler } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { secureHeaders } from 'hono/secure-headers'
import { timeout } from 'hono/timeout'
import { troubleOf } from './platform/db/trouble.ts'
import type { Deps } from './deps.ts'
import { ServiceError } from './platform/errors.ts'
import { accessRoutes } from './features/access/routes.ts'
import { withActor } from './features/access/auth.ts'
import { configRoutes } from './features/config/routes.ts'
import { consoleRoutes } from './platform/http/console.ts'
import { edgeRoutes } from './features/edges/routes.ts'
import { enrolmentRoutes } from './features/enrolments/routes.ts'
import { healthRoutes } from './platform/http/health.ts'
import { historyRoutes } from './features/history/routes.ts'
import { liveRoutes } from './features/edges/live-routes.ts'
import { onceOnly } from './platform/http/idempotency.ts'
import { notFound } from './platform/http/not-found.ts'
import { onError } from './platform/http/on-error.ts'
import { referenceRoutes } from './platform/http/reference.ts'
import { revocationRoutes } from './features/revocations/routes.ts'
import { rolloutRoutes } from './features/rollouts/routes.ts'
import type { Env } from './platform/http/routes.ts'
import { orderRoutes } from './features/orders/routes.ts'
import { sessionRoutes, signInRoutes } from './features/access/session-routes.ts'
import { sourceReader } from './platform/http/source.ts'
import { traceRoutes } from './features/traces/routes.ts'

/** Pages load nothing from other sites, and run no inline scripts or styles. */
const contentSecurityPolicy = {
  defaultSrc: ["'none'"],
  scriptSrc: ["'self'"],
  styleSrc: ["'self'"],
  imgSrc: ["'self'"],
  connectSrc: ["'self'"],
  requireTrustedTypesFor: ["'script'"],
  trustedTypes: ["'none'"],
  baseUri: ["'none'"],
  formAction: ["'none'"],
  frameAncestors: ["'none'"],
}

const about = { openapi: '3.1.0', info: { title: 'imapfleet', version: '1' } }
const bodyBytesMax = 1_048_576
const answerMs = 25_000

export interface AppOptions {
  /** Ends the open event streams. */
  stopping: AbortSignal
  /** Networks whose X-Forwarded-For is trusted. */
  trustedProxies: readonly string[]
  /** The directory of the built web console. */
  consoleDirectory: string
}

export function createApp(deps: Deps, options: AppOptions): OpenAPIHono<Env> {
  const app = new OpenAPIHono<Env>()
  app.onError(onError(deps.log, translate))
  app.notFound(notFound(app))
  app.use(secureHeaders({ contentSecurityPolicy, referrerPolicy: 'no-referrer', xFrameOptions: 'DENY' }))
  app.use(bodyLimit({ maxSize: bodyBytesMax }))
  app.use(timeout(answerMs))
  app.route('/', healthRoutes(deps))

  app.use('/v1/*', uncached)
  const sourceOf = sourceReader(options.trustedProxies)
  app.route('/v1', signInRoutes(deps, sourceOf))
  app.use('/v1/*', withActor(deps, sourceOf))
  app.use('/v1/*', onceOnly(deps))
  app.route('/v1', accessRoutes(deps))
  app.route('/v1', edgeRoutes(deps))
  app.route('/v1', enrolmentRoutes(deps))
  app.route('/v1', configRoutes(deps))
  app.route('/v1', historyRoutes(deps))
  app.route('/v1', liveRoutes(deps, options.stopping))
  app.route('/v1', orderRoutes(deps))
  app.route('/v1', revocationRoutes(deps))
  app.route('/v1', rolloutRoutes(deps))
  app.route('/v1', sessionRoutes())
  app.route('/v1', traceRoutes(deps, options.stopping))

  app.openAPIRegistry.registerComponent('securitySchemes', 'bearer', { type: 'http', scheme: 'bearer' })
  app.doc31('/openapi.json', about)
  app.route(
    '/',
    referenceRoutes(() => app.getOpenAPI31Document(about)),
  )
  app.route('/', consoleRoutes(options.consoleDirectory))
  return app
}

/** The OpenAPI document, from the routes alone: nothing is asked of what they would need to answer. */
export function describeApi(): object {
  const options = { stopping: new AbortController().signal, trustedProxies: [], consoleDirectory: '' }
  return createApp({} as Deps, options).getOpenAPI31Document(about)
}

/** Answers are not cached: they are current only now, and some contain secrets. */
const uncached: MiddlewareHandler<Env> = async (context, next) => {
  await next()
  if (!context.res.headers.has('cache-control')) context.header('cache-control', 'no-store')
}

/** Only the health routes, for a process that only ingests. */
export function createHealthApp(deps: Deps): OpenAPIHono<Env> {
  const app = new OpenAPIHono<Env>()
  app.onError(onError(deps.log, translate))
  app.route('/', healthRoutes(deps))
  return app
}

function translate(error: unknown): ServiceError | undefined {
  const trouble = troubleOf(error)
  if (trouble === 'away')
    return new ServiceError(
      'database_unavailable',
      `Postgres does not answer (${reasonOf(error)}): try again in a moment.`,
    )
  if (trouble === 'unstorable')
    return new ServiceError(
      'request_invalid',
      `The request contains a value that cannot be stored: ${reasonOf(error)}.`,
    )
  if (isNatsError(error))
    return new ServiceError(
      'bus_unavailable',
      `NATS does not answer (${reasonOf(error)}): try again in a moment.`,
    )
  return undefined
}
