/**
 * The small types that configuration fields are made of. A field carries its manual in its metadata: a sentence of
 * help, and whether a change takes effect at once or needs a restart.
 */
import { z } from 'zod'
import { configName } from './names.ts'

/** What every configuration key says of itself; the manual, the diff and the rollout read it. */
export interface FieldMeta {
  help: string
  /** `live`: a reload or a new revision takes effect at once. `restart`: only when the edge starts. */
  reload: 'live' | 'restart'
  /** Never shown: replaced by `redact`. */
  secret?: boolean
}

/** Attaches the manual to a field. */
export function field<T extends z.ZodType>(
  schema: T,
  help: string,
  options: Omit<Partial<FieldMeta>, 'help'> = {},
): T {
  return schema.meta({ help, reload: 'live', ...options } satisfies FieldMeta)
}

/** The manual of a field, or nothing if it has none. */
export function metaOf(schema: z.ZodType): FieldMeta | undefined {
  return schema.meta() as FieldMeta | undefined
}

const day = 86_400_000

/** Milliseconds, at most 24 days: a timer of Node's that is longer than 2^31 - 1 ms fires at once. */
export const milliseconds = (min = 0, max = 24 * day) => z.int().min(min).max(max)
export const count = (min = 0, max = 10_000_000) => z.int().min(min).max(max)
export const bytes = (min = 0, max = 1_073_741_824) => z.int().min(min).max(max)
export const port = z.int().min(1).max(65_535)
export const name = configName.describe('name')
export const filePath = z.string().min(1).max(4096).describe('path')
/** An address to bind to. */
export const address = z
  .union([z.ipv4(), z.ipv6()], { error: 'must be an IPv4 or IPv6 address such as 127.0.0.1 or ::' })
  .describe('address')
/** `10.0.0.0/8`, `::1/128`, or one address. */
export const network = z
  .union([z.cidrv4(), z.cidrv6(), z.ipv4(), z.ipv6()], {
    error: 'must be an address or a network such as 10.0.0.0/8 or ::1',
  })
  .describe('address or network')
/** A name to resolve, or an address. */
export const hostName = z
  .string()
  .max(255)
  .regex(/^[a-z0-9_:][a-z0-9._:%-]*$/i, 'must be a host name or an address, without a port')
  .describe('host name or address')
/** `nats://host:4222`; a secret in it would be shown wherever the configuration is. */
export const natsServer = z
  .string()
  .max(1024)
  .regex(
    /^((nats|tls|ws|wss):\/\/)?[a-z0-9._:%[\]-]+$/i,
    'must be nats://HOST:PORT; secrets go to tokenFile or credentialsFile',
  )
  .describe('nats://HOST:PORT')
export const tlsVersions = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const
export const tlsVersion = z.enum(tlsVersions)

/** What stands in place of a secret wherever a configuration is shown. */
export const redacted = '(redacted)'
/** A secret. The stand-in is refused, so that a shown configuration cannot be saved over the real one. */
export const secretText = z
  .string()
  .min(1)
  .max(1024)
  .refine((value) => value !== redacted, 'is only the stand-in for a secret; write the secret itself')
