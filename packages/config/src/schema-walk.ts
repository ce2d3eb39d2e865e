/** Walking a schema by the keys of a document: what redaction, layers, suggestions and the manual have in common. */
import { z } from 'zod'

/** The schema beneath defaults and optionality. */
export function unwrapped(schema: z.ZodType): z.ZodType {
  return schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional
    ? unwrapped(schema.unwrap() as z.ZodType)
    : schema
}

/** Known keys of a section with their schemas; empty for anything else. */
export function shapeOf(schema: z.ZodType): Record<string, z.ZodType> {
  const inner = unwrapped(schema)
  return inner instanceof z.ZodObject ? inner.shape : {}
}

/** What stands under one key of a section, a record of named sections, or a list. */
export function childOf(schema: z.ZodType, key: string): z.ZodType | undefined {
  const inner = unwrapped(schema)
  if (inner instanceof z.ZodObject) return Object.hasOwn(inner.shape, key) ? shapeOf(inner)[key] : undefined
  if (inner instanceof z.ZodRecord) return inner.valueType as z.ZodType
  if (inner instanceof z.ZodArray) return inner.element as z.ZodType
  return undefined
}

export function schemaAt(schema: z.ZodType, path: readonly string[]): z.ZodType | undefined {
  let at: z.ZodType | undefined = schema
  for (const key of path) at = at && childOf(at, key)
  return at
}

/**
 * The document with its defaults as far as it can be made sense of: whatever does not pass stays as it was written, so
 * that settings which contradict one another are found beside fields which are wrong by themselves.
 */
export function readable(schema: z.ZodType, value: unknown): unknown {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  if (Array.isArray(value)) return value.map((entry, index) => readableChild(schema, String(index), entry))
  if (typeof value !== 'object' || value === null) return value
  const keys = new Set([...Object.keys(shapeOf(schema)), ...Object.keys(value)])
  return Object.fromEntries(
    [...keys].map((key) => [key, readableChild(schema, key, (value as Record<string, unknown>)[key])]),
  )
}

function readableChild(schema: z.ZodType, key: string, value: unknown): unknown {
  const child = childOf(schema, key)
  return child ? readable(child, value) : value
}
