/** The API as one fetch handler. It gets its dependencies as arguments, and keeps no state between requests. */
import { OpenAPIHono } from '@hono/zod-openapi'
import { routes } from '@imapfleet/api'
import { isNatsError } from '@imapfleet/nats'
import { reasonOf } from '@imapfleet/observe'
import type { MiddlewareHandler } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { secureHeaders } from 'hono/secure-headers'
import { timeout } from 'hono/timeout'
import { databaseBusy } from './platform/db/blocked.ts'
import { troubleOf } from './platform/db/trouble.ts'
import type { Deps } from './deps.ts'
import { ServiceError } from './platform/errors.ts'
import { firstAnswers } from './first-answers.ts'
import { alertHandlers } from './features/alerts/routes.ts'
import { accessHandlers } from './features/access/routes.ts'
import { readSession } from './features/access/cookie.ts'
import { withActor } from './features/access/auth.ts'
import { currentRights } from './features/access/service.ts'
import { configHandlers } from './features/config/routes.ts'
import { reasonToHold } from './features/desired/service.ts'
import { consoleRoutes } from './platform/http/console.ts'
import { edgeHandlers } from './features/edges/routes.ts'
import { enrolmentHandlers } from './features/enrolments/routes.ts'
import { healthRoutes } from './platform/http/health.ts'
import { signInPages } from './features/people/pages.ts'
import { peopleHandlers } from './features/people/routes.ts'
import { historyHandlers } from './features/history/routes.ts'
import { liveHandlers } from './features/edges/live-routes.ts'
import { metricHandlers } from './features/metrics/routes.ts'
import { onceOnly } from './platform/http/idempotency.ts'
import { notFound } from './platform/http/not-found.ts'
import { explainer, onError } from './platform/http/on-error.ts'
import { OpenStreams } from './platform/http/open-streams.ts'
import { referenceRoutes } from './platform/http/reference.ts'
import { revocationHandlers } from './features/revocations/routes.ts'
import { rolloutHandlers } from './features/rollouts/routes.ts'
import type { Env, Handlers } from './platform/http/handlers.ts'
import { describeRoutes } from './platform/http/describe.ts'
import { registerRoutes } from './platform/http/register.ts'
import { operationHandlers } from './features/operations/routes.ts'
import { orderHandlers } from './features/orders/routes.ts'
import { sessionHandlers } from './features/access/session-routes.ts'
import { sourceReader } from './platform/http/source.ts'
import { traceHandlers } from './features/traces/routes.ts'

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
  const explain = explainer(deps.log, translator(deps))
  app.onError(onError(explain))
  app.notFound(notFound(app))
  app.use(secureHeaders({ contentSecurityPolicy, referrerPolicy: 'no-referrer', xFrameOptions: 'DENY' }))
  app.use(bodyLimit({ maxSize: bodyBytesMax }))
  app.use(timeout(answerMs))
  app.route('/', healthRoutes(deps, holds(deps)))

  app.use('/v1/*', uncached)
  const sourceOf = sourceReader(options.trustedProxies)
  const handlers: Handlers<typeof routes> = {
    ...accessHandlers(deps),
    ...alertHandlers(deps),
    ...edgeHandlers(deps),
    ...enrolmentHandlers(deps),
    ...configHandlers(deps),
    ...historyHandlers(deps),
    ...liveHandlers(deps),
    ...metricHandlers(deps),
    ...operationHandlers(deps),
    ...orderHandlers(deps),
    ...revocationHandlers(deps),
    ...rolloutHandlers(deps),
    ...sessionHandlers(deps, sourceOf),
    ...peopleHandlers(deps, sourceOf),
    ...traceHandlers(deps),
  }
  const middleware = [withActor(deps, sourceOf)]
  const streams = new OpenStreams(async (actors) => await currentRights(deps, actors), options.stopping)
  registerRoutes(app, routes, handlers, { middleware, streams, once: onceOnly(deps), explain })
  describeRoutes(app, routes)

  app.doc31('/openapi.json', about)
  app.route(
    '/',
    referenceRoutes(() => app.getOpenAPI31Document(about)),
  )
  app.route('/', signInPages(deps, sourceOf, explain))
  app.route(
    '/',
    consoleRoutes(options.consoleDirectory, async (context) =>
      readSession(context) === undefined ? [] : await firstAnswers(app, context),
    ),
  )
  return app
}

/** The OpenAPI document, from the routes alone. It needs no database and no NATS. */
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
  app.onError(onError(explainer(deps.log, translator(deps))))
  app.route('/', healthRoutes(deps, holds(deps)))
  return app
}

const holds = (deps: Deps) => async () => await reasonToHold(deps.db.orm)

const translator =
  ({ db }: Deps) =>
  async (error: unknown): Promise<ServiceError | undefined> => {
    const trouble = troubleOf(error)
    if (trouble === 'busy') return await databaseBusy(db)
    if (trouble === 'away')
      return new ServiceError(
        'database_unavailable',
        `Postgres does not answer (${reasonOf(error)}): try again in a moment.`,
      )
    if (trouble === 'read-only')
      return new ServiceError(
        'database_read_only',
        'Postgres accepts no writes, because it is a standby or was made read-only: connect control to the primary, or promote this server. Reading works.',
      )
    if (trouble === 'full')
      return new ServiceError(
        'database_full',
        'The disk of Postgres is full: give it more space, and send the request again. Most reading works meanwhile.',
      )
    if (trouble === 'unstorable')
      return new ServiceError(
        'request_invalid',
        `The request contains a value that cannot be stored: ${reasonOf(error)}.`,
      )
    if (isNatsError(error))
      return new ServiceError(
        'bus_unavailable',
        `NATS cannot be used (${reasonOf(error)}): try again in a moment.`,
      )
    return undefined
  }
