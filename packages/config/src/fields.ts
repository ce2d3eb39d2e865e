/**
 * The kinds of values that keys can have, and `field`, `restartField` and `secretField`, which attach the help text.
 * docs/configuration.md, the CLI and the console show the help text, and the text of `describe` as the kind of value.
 */
import { z } from 'zod'
import { configName } from './names.ts'

export interface FieldMeta {
  /** One to three plain sentences: what the key does, its unit, what 0 or an absent value means. No Markdown. */
  help: string
  /** `live`: a reload or a new revision takes effect immediately. `restart`: it takes effect after a restart of the edge. */
  reload: 'live' | 'restart'
  /** The value is replaced by `redacted` wherever a configuration is shown. */
  secret?: boolean
  /** Only the configuration file of the edge can set it, although the fleet can set other keys of the section. */
  hostOnly?: boolean
}

/** A key whose change takes effect immediately, without ending a session. */
export const field = <T extends z.ZodType>(schema: T, help: string): T =>
  schema.meta({ help, reload: 'live' } satisfies FieldMeta)

/** A key whose change takes effect after a restart of the edge, such as a port that is already bound. */
export const restartField = <T extends z.ZodType>(schema: T, help: string): T =>
  schema.meta({ help, reload: 'restart' } satisfies FieldMeta)

/**
 * A key that only the configuration file of the edge can set, such as a file that the edge writes. It takes effect after a
 * restart.
 */
export const hostField = <T extends z.ZodType>(schema: T, help: string): T =>
  schema.meta({ help, reload: 'restart', hostOnly: true } satisfies FieldMeta)

/** A key that holds a secret; otherwise like `field`. */
export const secretField = <T extends z.ZodType>(schema: T, help: string): T =>
  schema.meta({ help, reload: 'live', secret: true } satisfies FieldMeta)

/** Undefined for a section, which is not a field. */
export function metaOf(schema: z.ZodType): FieldMeta | undefined {
  return schema.meta() as FieldMeta | undefined
}

const dayMs = 86_400_000

/** At most 24 days, because a Node timer longer than 2^31 - 1 ms fires immediately. */
export const durationMs = (min = 0, max = 24 * dayMs) => z.int().min(min).max(max)
export const wholeNumber = (min = 0, max = 10_000_000) => z.int().min(min).max(max)
export const byteCount = (min = 0, max = 1_073_741_824) => z.int().min(min).max(max)
export const portNumber = z.int().min(1).max(65_535)
/** The name of an edge, a region, a listener or an upstream. */
export const entryName = configName.describe('name')
export const filePath = z.string().min(1).max(4096).describe('path')
/** An address to bind to. */
export const ipAddress = z
  .union([z.ipv4(), z.ipv6()], { error: 'must be an IPv4 or IPv6 address such as 127.0.0.1 or ::' })
  .describe('address')
/** `10.0.0.0/8`, `::1/128`, or a single address. */
export const ipNetwork = z
  .union([z.cidrv4(), z.cidrv6(), z.ipv4(), z.ipv6()], {
    error: 'must be an address or a network such as 10.0.0.0/8 or ::1',
  })
  .describe('address or network')
/** A DNS name, or an address. */
export const hostName = z
  .string()
  .max(255)
  .regex(/^[a-z0-9_:][a-z0-9._:%-]*$/i, 'must be a host name or an address, without a port')
  .describe('host name or address')
/** An address that contains a user and password is refused, because the value is shown like any other. */
export const natsAddress = z
  .string()
  .max(1024)
  .regex(
    /^((nats|tls|ws|wss):\/\/)?[a-z0-9._:%[\]-]+$/i,
    'must be nats://HOST:PORT; put secrets into the file of tokenFile or credentialsFile',
  )
  .describe('nats://HOST:PORT')
/** From the oldest to the newest. */
export const tlsVersions = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const
export const tlsVersion = z.enum(tlsVersions)

/** What is shown instead of a secret. */
export const redacted = '(redacted)'
/** The placeholder is refused, so that a configuration that was shown cannot be saved over the real one. */
export const secretText = z
  .string()
  .min(1)
  .max(1024)
  .refine(
    (value) => value !== redacted,
    'is the placeholder that is shown instead of a secret; write the secret itself',
  )
