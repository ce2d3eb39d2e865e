/** A configuration that is safe to print: every value whose key is marked secret is replaced. */
import { z } from 'zod'
import { metaOf } from './fields.ts'
import type { JsonValue } from './layer.ts'
import { edgeConfigSchema } from './schema.ts'

export const redacted = '(redacted)'

/** A copy of a whole or partial configuration without its secrets. */
export function redact<T>(document: T): T {
  return walk(edgeConfigSchema, document as JsonValue) as T
}

function walk(schema: z.ZodType, value: JsonValue): JsonValue {
  if (metaOf(schema)?.secret) return redacted
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional)
    return walk(schema.unwrap() as z.ZodType, value)
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value
  const childOf = (key: string): z.ZodType | undefined =>
    schema instanceof z.ZodObject
      ? (schema.shape as Record<string, z.ZodType>)[key]
      : schema instanceof z.ZodRecord
        ? (schema.valueType as z.ZodType)
        : undefined
  return Object.fromEntries(
    Object.entries(value).map(([key, child]) => {
      const childSchema = childOf(key)
      return [key, childSchema ? walk(childSchema, child) : child]
    }),
  )
}
