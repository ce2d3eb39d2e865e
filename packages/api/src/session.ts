/** Signing in to the web console: a token is exchanged for a cookie. */
import { z } from 'zod'
import { limitsSchema } from './limits.ts'
import { roleSchema, route } from './route.ts'

export const signInRequestSchema = z
  .object({ token: z.string().min(1).max(512) })
  .meta({ id: 'SignInRequest' })

/** Owner and rights of the token behind the request. */
export const consoleSessionSchema = z
  .object({
    name: z.string(),
    role: roleSchema,
    scopes: z.array(z.string()),
    limits: limitsSchema.default({}),
  })
  .meta({ id: 'ConsoleSession' })
export type ConsoleSession = z.infer<typeof consoleSessionSchema>

/** Signing in and out need no token. */
export const sessionRoutes = {
  signIn: route({
    method: 'POST',
    path: '/v1/session',
    tag: 'session',
    summary: 'Exchange a token for the cookie of the console',
    role: 'none',
    limits: 'none',
    hidden: true,
    body: signInRequestSchema,
    status: 201,
    answer: consoleSessionSchema,
    returns: 'The owner of the token',
  }),
  signOut: route({
    method: 'DELETE',
    path: '/v1/session',
    tag: 'session',
    summary: 'End the session of the console',
    role: 'none',
    limits: 'none',
    hidden: true,
    status: 204,
    returns: 'The session has ended',
  }),
  readSession: route({
    method: 'GET',
    path: '/v1/session',
    tag: 'session',
    summary: 'The owner and the rights of the token or the session',
    role: 'viewer',
    limits: 'none',
    hidden: true,
    answer: consoleSessionSchema,
    returns: 'The owner of the session',
  }),
} as const
