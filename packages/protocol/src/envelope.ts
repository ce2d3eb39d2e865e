/** What all messages share: a version, an address, and a decode step that never throws and never trusts. */
import { configName } from '@imapfleet/config/names'
import { z } from 'zod'

/** Version of the wire. A receiver refuses what it does not know; fields may be added within one version. */
export const wireVersion = 1

/** nats-server's default limit for one message; larger answers are sent in chunks. */
export const messageBytesMax = 1_048_576

/** Milliseconds since 1970, up to the year 9999: what every clock, database and RFC 3339 date can hold. */
export const instant = z.int().min(0).max(253_402_300_799_999)

/** Text that Postgres can store: no NUL, and no half of a surrogate pair. */
export const storableText = (charactersMax: number) =>
  z
    .string()
    .max(charactersMax)
    .refine((text) => !text.includes('\0') && text.isWellFormed(), 'has a NUL or is not Unicode')

/** Who sends: names of the edge's configuration, and a random id made at each start. */
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

/** Bytes from NATS → a message of this schema, or the reason why it is none. */
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

/** A value of this schema, or the first reason why it is none. */
export function decodeValue<S extends z.ZodType>(schema: S, data: unknown): Decoded<z.infer<S>> {
  const parsed = schema.safeParse(data)
  if (parsed.success) return { ok: true, value: parsed.data }
  const issue = parsed.error.issues[0]
  return { ok: false, reason: `${issue?.path.join('.') || 'message'}: ${issue?.message ?? 'invalid'}` }
}

export function encode(message: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(message))
}
