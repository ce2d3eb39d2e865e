/** Orders: things to do once, now, answered by each edge. Idempotent by id; refused when expired. */
import { z } from 'zod'
import { senderShape, wireVersion } from './envelope.ts'

const user = z.string().min(1).max(1024)

/** What an edge can be told to do. */
export const orderActionSchema = z
  .discriminatedUnion('kind', [
    z.object({ kind: z.literal('who'), user: user.optional() }),
    z.object({ kind: z.literal('kick-user'), user }),
    z.object({ kind: z.literal('purge-idle'), user: user.optional() }),
    z.object({ kind: z.literal('reset-counters') }),
    z.object({ kind: z.literal('newlog') }),
    z.object({ kind: z.literal('version') }),
    z.object({ kind: z.literal('route-lookup'), user, listener: z.string().max(63).optional() }),
    z.object({ kind: z.literal('pause-upstream'), upstream: z.string().max(63) }),
    z.object({ kind: z.literal('resume-upstream'), upstream: z.string().max(63) }),
  ])
  .meta({ id: 'OrderAction' })
export type OrderAction = z.infer<typeof orderActionSchema>

export const orderSchema = z.object({
  v: z.literal(wireVersion),
  id: z.uuid(),
  givenBy: z.string().max(200),
  at: z.int().min(0),
  /** An edge that gets it later refuses it. */
  expiresAt: z.int().min(0),
  action: orderActionSchema,
})
export type Order = z.infer<typeof orderSchema>

/** One edge's answer; large answers come in chunks, the last has `more: false`. */
export const orderAnswerSchema = z.object({
  ...senderShape,
  order: z.uuid(),
  ok: z.boolean(),
  /** Why it failed, for an operator. */
  reason: z.string().max(4096).optional(),
  result: z.unknown(),
  more: z.boolean(),
})
export type OrderAnswer = z.infer<typeof orderAnswerSchema>

/** One line of `who`: an upstream connection and the client that holds it, if any. */
export const connectionSchema = z.object({
  user: z.string(),
  upstream: z.string(),
  state: z.enum(['dialing', 'leased', 'resetting', 'idle']),
  client: z.string().optional(),
  /** Milliseconds since 1970. */
  since: z.int(),
  uses: z.int(),
})
export type Connection = z.infer<typeof connectionSchema>
