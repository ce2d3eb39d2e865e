/** Makes a configuration safe to show: replaces every value whose key is marked as secret. */
import type { z } from 'zod'
import { metaOf, redacted } from './fields.ts'
import type { JsonValue } from './layer.ts'
import { childOf, isSection, schemaAt } from './schema-walk.ts'
import { edgeConfigSchema } from './schema.ts'

/** A copy of a whole configuration, or of a layer, without its secrets. */
export function redact<T>(document: T): T {
  return walk(edgeConfigSchema, document as JsonValue) as T
}

/** Whether the value of this dotted key is never shown. */
export function isSecretKey(key: string): boolean {
  const schema = schemaAt(edgeConfigSchema, key.split('.'))
  return schema !== undefined && metaOf(schema)?.secret === true
}

function walk(schema: z.ZodType, value: JsonValue): JsonValue {
  if (metaOf(schema)?.secret) return redacted
  const child = (key: string, at: JsonValue) => {
    const below = childOf(schema, key)
    return below ? walk(below, at) : at
  }
  if (Array.isArray(value)) return value.map((entry, index) => child(String(index), entry))
  if (!isSection(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, at]) => [key, child(key, at)]))
}
