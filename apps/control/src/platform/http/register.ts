/**
 * Registers the routes of packages/api: authentication, role, parsing, the handler of the feature, the answer. A row
 * of the table is all that a route needs here.
 */
import { isAtLeast, limitAgainst, limitsText, type Route } from '@imapfleet/api'
import type { Context, Hono, MiddlewareHandler } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import type { Actor } from '../access.ts'
import { ServiceError } from '../errors.ts'
import { eventStream, eventsType, lineStream, type StreamEvent } from './event-stream.ts'
import { JsonReply, TextReply, type Env, type Handlers } from './handlers.ts'
import type { WriteOnce } from './idempotency.ts'
import type { Explain } from './on-error.ts'
import type { OpenStreams } from './open-streams.ts'
import { readRequest } from './read-request.ts'

type Routes = Readonly<Record<string, Route>>

interface RegisterOptions {
  /** Run in this order for all routes that need a role, and for paths without a route. */
  middleware: readonly MiddlewareHandler<Env>[]
  streams: OpenStreams
  once: WriteOnce
  explain: Explain
}

export function registerRoutes<Table extends Routes>(
  app: Hono<Env>,
  routes: Table,
  handlers: Handlers<Table>,
  options: RegisterOptions,
): void {
  const rows = Object.entries<Route>(routes).map(([name, route]) => ({
    route,
    // The types of the table hold here, and become the types of one request again in readRequest.
    handler: handlers[name as keyof Table] as AnyHandler,
  }))
  const register = ({ route, handler }: (typeof rows)[number]) =>
    app.on(route.method, route.path.replace(/\{(\w+)\}/g, ':$1'), (context) =>
      answer(context, route, handler, options),
    )
  rows.filter(({ route }) => route.role === 'none').forEach(register)
  for (const each of options.middleware) app.use('/v1/*', each)
  rows.filter(({ route }) => route.role !== 'none').forEach(register)
}

type AnyHandler = (request: object) => unknown

async function answer(
  context: Context<Env>,
  route: Route,
  handler: AnyHandler,
  options: RegisterOptions,
): Promise<Response> {
  const actor = context.get('actor')
  if (route.role !== 'none' && !isAtLeast(actor.role, route.role))
    throw new ServiceError(
      'forbidden',
      `${actor.name} lacks the role ${route.role}; its role is ${actor.role}.`,
    )
  if (route.role !== 'none') refuseBeyond(route, actor)
  const run = async () => await carryOut(context, route, handler, options)
  const isKept = route.role !== 'none' && route.method !== 'GET' && route.secret === undefined
  return await (isKept ? options.once(context, run) : run())
}

/** What a handler cannot filter is refused before it runs. */
function refuseBeyond(route: Route, { name, limits }: Actor): void {
  const kind = limitAgainst(route, limits)
  if (kind !== undefined)
    throw new ServiceError(
      'outside_limits',
      `${name} is limited to ${limitsText(limits)}: this needs a token that is not limited to ${kind}.`,
    )
}

async function carryOut(
  context: Context<Env>,
  route: Route,
  handler: AnyHandler,
  { streams, explain }: RegisterOptions,
): Promise<Response> {
  const actor = context.get('actor')
  const request = { ...(await readRequest(context, route)), actor, context }
  if (route.role !== 'none' && ('events' in route || 'line' in route)) {
    if (context.req.method === 'HEAD') {
      // Without a stream: it takes no place among the open ones, not even while the handler waits.
      const asking = new AbortController()
      await handler({ ...request, signal: asking.signal })
      asking.abort()
      return context.body(null, 200, { 'content-type': 'events' in route ? eventsType : route.text })
    }
    // Counted before the handler runs, because it may wait.
    const stream = streams.open(actor, route.role)
    try {
      const items = await handler({ ...request, signal: stream.signal })
      return 'events' in route
        ? eventStream(context, stream, explain, items as AsyncIterable<StreamEvent>)
        : lineStream(context, stream, explain, route.text, items as AsyncIterable<object>)
    } catch (error) {
      stream.close()
      throw error
    }
  }
  const result = await handler(request)
  if (result instanceof TextReply) return context.body(result.text, 200, result.headers)
  if ('answer' in route) {
    const { status = route.status ?? 200, headers, answer: value } = asReply(result)
    return context.json(value as object, status as ContentfulStatusCode, headers)
  }
  if ('text' in route) return context.body(result as string, 200, { 'content-type': route.text })
  return context.body(null, 204)
}

const asReply = (result: unknown) =>
  result instanceof JsonReply ? (result as JsonReply<unknown>) : new JsonReply<unknown>(result, {})
