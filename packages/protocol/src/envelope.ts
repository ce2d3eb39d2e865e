/** What all messages share: the wire version, the sender, and decoding that never throws. */
import { configName } from '@imapfleet/config/names'
import { z } from 'zod'

/**
 * A receiver refuses other versions. Within one version, optional fields may be added, and a receiver ignores those that it does
 * not know. An older edge would therefore ignore a field that narrows what an order does, and do more: such an order is a new kind.
 */
export const wireVersion = 1

/** The default limit of nats-server for one message. */
export const messageBytesMax = 1_048_576

/** The end of the year 9999: the range that Postgres and RFC 3339 can express. */
export const instantMax = 253_402_300_799_999

/** Milliseconds since 1970. */
export const instant = z.int().min(0).max(instantMax)

/** Text that Postgres can store: no NUL, and no half of a surrogate pair. */
export const storableText = (charactersMax: number) =>
  z
    .string()
    .max(charactersMax)
    .refine((text) => !text.includes('\0') && text.isWellFormed(), 'contains a NUL or is not Unicode')

/** The sender: names from the edge's configuration, and an id that is random at each start. */
export const senderShape = {
  v: z.literal(wireVersion),
  edge: configName,
  region: configName,
  boot: z.uuid(),
  /** The sender's clock. */
  at: instant,
} as const

export type Decoded<T> = { ok: true; value: T } | { ok: false; reason: string }

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** Decodes bytes from NATS, or gives the first reason why they are not a message of this schema. */
export function decode<S extends z.ZodType>(schema: S, bytes: Uint8Array): Decoded<z.infer<S>> {
  if (bytes.length > messageBytesMax) return { ok: false, reason: `larger than ${messageBytesMax} bytes` }
  let data: unknown
  try {
    data = JSON.parse(utf8.decode(bytes))
  } catch {
    return { ok: false, reason: 'not JSON' }
  }
  return decodeValue(schema, data)
}

/** Like `decode`, for a value that is already parsed as JSON. */
export function decodeValue<S extends z.ZodType>(schema: S, data: unknown): Decoded<z.infer<S>> {
  const parsed = schema.safeParse(data)
  if (parsed.success) return { ok: true, value: parsed.data }
  const issue = parsed.error.issues[0]
  return { ok: false, reason: `${issue?.path.join('.') || 'message'}: ${issue?.message ?? 'invalid'}` }
}

export function encode(message: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(message))
}
