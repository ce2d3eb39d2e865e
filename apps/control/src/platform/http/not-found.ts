/** Answers requests without a route: 404, or 405 if the path exists with other methods. */
import type { Context, Hono } from 'hono'
import { ServiceError } from '../errors.ts'
import { problemResponse } from './on-error.ts'
import type { Env } from './handlers.ts'

export function notFound(app: Hono<Env>): (context: Context<Env>) => Response {
  return ({ req }) => {
    const methods = methodsAt(app.routes, req.path)
    if (methods.length === 0)
      return problemResponse(
        new ServiceError(
          'route_unknown',
          `No route matches ${req.method} ${req.path}: /openapi.json lists all routes.`,
        ),
      )
    const allowed = methods.join(', ')
    const response = problemResponse(
      new ServiceError('method_unknown', `${req.path} does not support ${req.method}: use ${allowed}.`),
    )
    response.headers.set('allow', allowed)
    return response
  }
}

/** Methods of the routes with this path. Middleware and catch-all routes do not count. */
function methodsAt(routes: Hono<Env>['routes'], path: string): string[] {
  const found = routes.filter((route) => route.method !== 'ALL' && isAt(route.path, path))
  return [...new Set(found.map(({ method }) => method))].sort()
}

function isAt(pattern: string, path: string): boolean {
  if (pattern.includes('*')) return false
  const parts = pattern.split('/')
  const given = path.split('/')
  return (
    parts.length === given.length &&
    parts.every((part, index) => (part.startsWith(':') ? given[index] !== '' : part === given[index]))
  )
}
