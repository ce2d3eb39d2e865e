/**
 * Routes of the control API with the types of its OpenAPI document: a mismatch does not compile. Only api.ts uses it.
 */
import type { ApiRoutes } from '@imapfleet/protocol'
import type { z } from 'zod'
import { ask, askStream, type Question } from './ask.ts'
import type { ControlAddress } from './target.ts'

export type RouteText = keyof ApiRoutes
/** Path, query and body, if the route has them. */
export type Given<R extends RouteText> = Omit<ApiRoutes[R], 'answer'>

interface AnyGiven {
  path?: Readonly<Record<string, string | number>>
  query?: Readonly<Record<string, string | number | undefined>>
  body?: unknown
}

export function callerOf(target: ControlAddress) {
  return {
    /** Sends a request, and parses the answer with a schema for the type in the document. */
    call: <R extends RouteText, S extends z.ZodType<ApiRoutes[R]['answer']>>(
      route: R,
      given: Given<R>,
      schema: S,
      signal?: AbortSignal,
    ): Promise<z.infer<S>> =>
      ask({ ...questionOf(target, route, given), ...(signal ? { signal } : {}) }, schema),
    /** A route that answers with a stream of this type. */
    listen: <R extends RouteText>(
      route: R,
      given: Given<R>,
      type: string,
      how: Pick<Question, 'signal' | 'headers'>,
    ) => askStream({ ...questionOf(target, route, given), ...how }, type),
  }
}

function questionOf(
  { server, token }: ControlAddress,
  route: RouteText,
  { path = {}, query = {}, body }: AnyGiven,
): Question {
  const [method, template] = route.split(' ', 2) as [NonNullable<Question['method']>, string]
  const filled = template.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(path[name] ?? ''))
  // Relative to the URL of the server, which can have a path.
  const url = new URL(filled.slice(1), server)
  for (const [key, value] of Object.entries(query))
    if (value !== undefined) url.searchParams.set(key, String(value))
  return { method, url, token, ...(body === undefined ? {} : { body }) }
}
