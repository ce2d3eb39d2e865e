/**
 * Orders: what an edge can be told to do once, now. `orderKinds` has one row for each kind; the actions of the API, the
 * messages on NATS and the types of all results are derived from it. order-words.ts has each kind in words.
 */
import { configName } from '@imapfleet/config/names'
import { z } from 'zod'
import { oneLine } from '@imapfleet/observe'
import { decode, decodeValue, instant, storableText, wireVersion, type Decoded } from './envelope.ts'
import { orderOutcome } from './order-words.ts'

const user = z.string().min(1).max(1024)
const endedSessions = z.object({ sessions: z.int().min(0) })
/** A mail domain, without @. */
const domain = z
  .string()
  .max(255)
  .regex(/^[^\s@]+$/, 'must be a domain such as example.org, without @')
const count = z.int().min(0)
/** Which connections are counted: those of a user, of a domain, or to an upstream. Without any: all. */
const countedSchema = z.object({
  user: user.optional(),
  domain: domain.optional(),
  upstream: configName.optional(),
})
/** Whose connections an order concerns. Undefined: all users of the edge, or the edge itself. */
export type OrderSubject = { kind: 'user' | 'domain'; name: string } | undefined
const userOf = ({ user: name }: { user?: string | undefined }): OrderSubject =>
  name === undefined ? undefined : { kind: 'user', name }
const ofNoUser = (): OrderSubject => undefined

/** The result of an order that returns no data. */
const done = z.object({})

/** A server connection that is logged in, and the client of its session, if any. */
export const connectionSchema = z
  .object({
    user: storableText(65_536),
    upstream: configName,
    state: z.enum(['leased', 'resetting', 'idle']),
    /** Address of the client. Missing unless the connection is leased. */
    client: storableText(300).optional(),
    /** When it was last used. Milliseconds since 1970. */
    since: instant,
    /** How many sessions have used it. */
    uses: count,
    /** The session that uses it. Missing unless the connection is leased, and from older edges. */
    session: z
      .object({
        /** When its login was answered. Milliseconds since 1970. */
        startedAt: instant,
        /** Bytes received from the client, and from the server. */
        clientBytes: count,
        upstreamBytes: count,
        /** The last command that went to the server, without its arguments. `OTHER` is one that the edge has no name for. */
        command: storableText(32).optional(),
      })
      .optional(),
  })
  .meta({ id: 'Connection' })
export type Connection = z.infer<typeof connectionSchema>

/** A result that is an array is sent in chunks if it does not fit into one message. */
export const orderKinds = {
  who: row({
    input: z.object({ user: user.optional() }),
    result: z.array(connectionSchema),
    subject: userOf,
    isRead: true,
  }),
  'kick-user': row({
    input: z.object({ user }),
    result: endedSessions,
    subject: userOf,
  }),
  'kick-domain': row({
    input: z.object({ domain }),
    result: endedSessions,
    subject: (input) => ({ kind: 'domain', name: input.domain }),
    isDisruptive: () => true,
  }),
  'purge-idle': row({
    input: z.object({ user: user.optional() }),
    result: z.object({ connections: count }),
    subject: userOf,
    isDisruptive: (input) => input.user === undefined,
  }),
  count: row({
    input: countedSchema,
    /** Users, and their leased and idle server connections. */
    result: z.object({ users: count, active: count, idle: count }),
    subject: (input) =>
      userOf(input) ?? (input.domain === undefined ? undefined : { kind: 'domain', name: input.domain }),
    isRead: true,
  }),
  'reset-counters': row({
    input: z.object({}),
    result: done,
    subject: ofNoUser,
  }),
  newlog: row({
    input: z.object({}),
    result: done,
    subject: ofNoUser,
  }),
  version: row({
    input: z.object({}),
    result: z.object({ version: storableText(64) }),
    subject: ofNoUser,
    isRead: true,
  }),
  'route-lookup': row({
    input: z.object({ user, listener: configName.optional() }),
    result: z.object({ upstream: configName }),
    subject: userOf,
    isRead: true,
  }),
  'pause-upstream': row({
    input: z.object({ upstream: configName }),
    result: done,
    subject: ofNoUser,
    isDisruptive: () => true,
  }),
  'resume-upstream': row({
    input: z.object({ upstream: configName }),
    result: done,
    subject: ofNoUser,
  }),
} as const

interface Row<Shape extends z.ZodRawShape, Result extends z.ZodType> {
  /** Fields of the action beside its kind. */
  input: z.ZodObject<Shape>
  /** What an edge answers on success. */
  result: Result
  /** Tokens that are limited to domains give only orders with a subject in them. */
  subject: (input: z.output<z.ZodObject<Shape>>) => OrderSubject
  /**
   * It ends sessions, refuses logins or closes the connections of many users. Control carries it out region by region. Left
   * out: it does not.
   */
  isDisruptive?: (input: z.output<z.ZodObject<Shape>>) => boolean
  /** It changes nothing on the edge. It is in the list of orders, but not in the audit log. Left out: it changes something. */
  isRead?: true
}

function row<Shape extends z.ZodRawShape, Result extends z.ZodType>(
  parts: Row<Shape, Result>,
): Row<Shape, Result> {
  return parts
}

type Kinds = typeof orderKinds
export type OrderKind = keyof Kinds
export type OrderResult<Kind extends OrderKind = OrderKind> = z.output<Kinds[Kind]['result']>
type ShapeOf<R> = R extends Row<infer Shape, z.ZodType> ? Shape : never
type Actions = {
  [Kind in OrderKind]: z.output<z.ZodObject<{ kind: z.ZodLiteral<Kind> } & ShapeOf<Kinds[Kind]>>>
}
/** `kind`, and the fields of its input. For several kinds the union of their actions. */
export type OrderAction<Kind extends OrderKind = OrderKind> = Actions[Kind]

interface AnyRow {
  input: z.ZodObject
  result: z.ZodType<OrderResult>
  subject: (action: OrderAction) => OrderSubject
  isDisruptive?: (action: OrderAction) => boolean
  isRead?: true
}
/** For a kind that is known only at run time. */
const rows = orderKinds as unknown as Record<OrderKind, AnyRow>

export const actionSchemaOf = <Kind extends OrderKind>(kind: Kind) =>
  z.object({ kind: z.literal(kind) }).extend(rows[kind].input.shape) as unknown as z.ZodType<
    OrderAction<Kind>
  >

export const resultSchemaOf = <Kind extends OrderKind>(kind: Kind) =>
  rows[kind].result as z.ZodType<OrderResult<Kind>>

const kinds = Object.keys(orderKinds) as OrderKind[]

export const orderActionSchema = z
  .discriminatedUnion('kind', kinds.map(actionSchemaOf) as unknown as [z.core.$ZodTypeDiscriminable])
  .meta({ id: 'OrderAction' }) as unknown as z.ZodType<OrderAction, OrderAction>

/** The result of an order of any kind. `done` comes last, because every object matches it. */
export const orderResultSchema = z
  .union([...new Set(kinds.map((kind) => orderKinds[kind].result).filter((result) => result !== done)), done])
  .meta({ id: 'OrderResult' }) as unknown as z.ZodType<OrderResult, OrderResult>

/** Parses the answer of an edge to an order of this kind. */
export const parseResult = <Kind extends OrderKind>(kind: Kind, data: unknown): Decoded<OrderResult<Kind>> =>
  decodeValue(resultSchemaOf(kind), data)

/** Whether the result is an array, which may come in chunks. */
export const isListResult = (kind: OrderKind): boolean => orderKinds[kind].result instanceof z.ZodArray

export const orderSubject = (action: OrderAction): OrderSubject => rows[action.kind].subject(action)

/** Whether it affects many users at once. */
export const isDisruptiveOrder = (action: OrderAction): boolean =>
  rows[action.kind].isDisruptive?.(action) ?? false

/** Whether it changes nothing. */
export const isReadOrder = ({ kind }: Pick<OrderAction, 'kind'>): boolean => rows[kind].isRead ?? false

/** `ended 2 sessions`; empty for a result of another kind. */
export function orderResultText(kind: OrderKind, result: unknown): string {
  const parsed = parseResult(kind, result)
  return parsed.ok ? orderOutcome(kind, parsed.value) : ''
}

/** The message from control to edges. An edge carries out each `id` once. */
export const orderSchema = z.object({
  v: z.literal(wireVersion),
  id: z.uuid(),
  givenBy: z.string().max(200),
  /** When control sent this message. */
  at: z.int().min(0),
  /** By the same clock. An edge that may have received it later refuses it: it judges by the difference to `at`. */
  expiresAt: z.int().min(0),
  action: orderActionSchema,
})
export type Order = z.infer<typeof orderSchema>

/** What an order of any version has: enough to answer that an edge cannot carry it out. */
const foreignOrderSchema = z.object({
  v: z.int().min(0).max(1_000_000),
  id: z.uuid(),
  action: z.object({ kind: storableText(100) }),
})

/** Why an edge does not carry out an order that it cannot parse. Undefined: the message is not an order and gets no answer. */
export function orderRefusal(data: Uint8Array, version: string): { id: string; reason: string } | undefined {
  const foreign = decode(foreignOrderSchema, data)
  if (!foreign.ok) return undefined
  const { v, id, action } = foreign.value
  const own = `this edge has version ${version}`
  if (v !== wireVersion)
    return { id, reason: `${own} and speaks wire version ${wireVersion}, the order has wire version ${v}` }
  if (!Object.hasOwn(orderKinds, action.kind))
    return { id, reason: `${own}, which has no order ${oneLine(action.kind)}: upgrade it` }
  const decoded = decode(orderSchema, data)
  return decoded.ok ? undefined : { id, reason: `${own} and does not accept ${decoded.reason}` }
}
