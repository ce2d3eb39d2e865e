/** Signing in to the web console: a token is exchanged for a cookie. */
import { z } from 'zod'
import { roleSchema } from './api-access.ts'

export const signInRequestSchema = z
  .object({ token: z.string().min(1).max(512) })
  .meta({ id: 'SignInRequest' })

/** Owner and rights of the token behind the request. */
export const consoleSessionSchema = z
  .object({ name: z.string(), role: roleSchema, scopes: z.array(z.string()) })
  .meta({ id: 'ConsoleSession' })
export type ConsoleSession = z.infer<typeof consoleSessionSchema>
