/** Finds the schema of a key in a document: for layers, redaction, suggestions and the manual. */
import { z } from 'zod'
import type { PathProblem } from './problem.ts'

/** Whether a value in a document is a section, or one entry of it, as opposed to a list or a single value. */
export const isSection = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The schema without its default and not optional. */
export function unwrapped(schema: z.ZodType): z.ZodType {
  return schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional
    ? unwrapped(schema.unwrap() as z.ZodType)
    : schema
}

/** The known keys of a section with their schemas; empty for anything that is not a section. */
export function shapeOf(schema: z.ZodType): Record<string, z.ZodType> {
  const inner = unwrapped(schema)
  return inner instanceof z.ZodObject ? inner.shape : {}
}

/** The schema of one key of a section, of an entry under a chosen name, or of an entry of a list. */
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

/** Keys that zod leaves out without an error: a record drops an own property named `__proto__`. */
export function droppedKeys(
  schema: z.ZodType,
  document: unknown,
  path: readonly string[] = [],
): PathProblem[] {
  if (typeof document !== 'object' || document === null) return []
  return Object.entries(document).flatMap(([key, value]) => {
    if (key === '__proto__' && unwrapped(schema) instanceof z.ZodRecord)
      return [{ path: [...path, key], message: 'is not a name that can be used' }]
    const child = childOf(schema, key)
    return child ? droppedKeys(child, value, [...path, key]) : []
  })
}
