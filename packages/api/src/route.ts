/**
 * What a route of the control API is: a row of data. Control registers its routes from these rows and prints the OpenAPI
 * document from them, and the client takes its types from them.
 */
import { z } from 'zod'
import { roles } from './rights.ts'

export const roleSchema = z.enum(roles)
export type Role = z.infer<typeof roleSchema>

/** Extra rights that no role includes. */
export const scopeSchema = z.enum(['trace-bodies'])
export type Scope = z.infer<typeof scopeSchema>

/**
 * What a token with limits gets of a route. `region`: what is within its regions; a token that is limited to domains is refused.
 * `domain`: the reverse. `both`: what is within all its limits. `unlimited-only`: every token with limits is refused. `none`: the
 * route shows and changes nothing of a region or a user, so limits make no difference.
 */
export type LimitedBy = 'region' | 'domain' | 'both' | 'unlimited-only' | 'none'

interface Question {
  method: 'GET' | 'POST' | 'DELETE'
  /** With names in braces: `/v1/orders/{id}`. */
  path: `/v1/${string}`
  tag: string
  summary: string
  description?: string
  /** The lowest role that may use the route. `none`: no token is needed. */
  role: Role | 'none'
  /** A right that part of the route needs besides the role. `description` says which part. */
  scope?: Scope
  limits: LimitedBy
  /** The answer shows a secret that is stored nowhere. It is not kept for an idempotency key either, so clients do not repeat the request. */
  secret?: true
  /** Not part of the OpenAPI document. */
  hidden?: true
  /** The names in the path. */
  params?: z.ZodObject
  query?: z.ZodObject
  /** Headers with a meaning of their own, in lower case. */
  headers?: z.ZodObject
  body?: z.ZodType
  /** What the answer is, in a few words. */
  returns: string
}

interface JsonAnswer {
  answer: z.ZodType
  /** 200 if left out. */
  status?: 200 | 201
  /** A second status with the same schema. */
  otherwise?: { status: 200; returns: string }
  /** The content type of the same answer as text, if the query can ask for it. */
  text?: string
}

/** Server-Sent Events, by name. */
interface EventAnswer {
  events: Readonly<Record<string, z.ZodType>>
}

interface TextAnswer {
  /** Its content type. */
  text: string
  /** The text consists of lines, each a JSON object of this schema. */
  line?: z.ZodType
}

interface EmptyAnswer {
  status: 204
}

export type Route = Question & (JsonAnswer | EventAnswer | TextAnswer | EmptyAnswer)

/** Checks a row, and keeps its exact type. */
export const route = <const R extends Route>(row: R): R => row
