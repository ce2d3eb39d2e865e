/**
 * Finds keys of a value that its schema does not have. The schemas themselves ignore such keys, because answers are parsed with
 * them too, and a client must accept the fields of a newer control.
 */
import { closest, type Problem } from '@imapfleet/config'
import { z } from 'zod'

/** `value` must match the schema. */
export function unknownKeys(schema: z.core.$ZodType, value: unknown, path: string[] = []): Problem[] {
  if (typeof value !== 'object' || value === null) return []
  if (schema instanceof z.ZodObject) {
    const shape = schema.shape as Record<string, z.core.$ZodType>
    return Object.entries(value).flatMap(([key, field]) => {
      if (!Object.hasOwn(shape, key)) return [unknownKey([...path, key], Object.keys(shape))]
      return unknownKeys(shape[key]!, field, [...path, key])
    })
  }
  if (schema instanceof z.ZodArray)
    return (value as unknown[]).flatMap((item, index) =>
      unknownKeys(schema.element, item, [...path, String(index)]),
    )
  if (schema instanceof z.ZodRecord)
    return Object.entries(value).flatMap(([key, item]) => unknownKeys(schema.valueType, item, [...path, key]))
  if (schema instanceof z.ZodUnion) {
    const option = schema.options.find((each) => z.safeParse(each, value).success)
    return option ? unknownKeys(option, value, path) : []
  }
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable || schema instanceof z.ZodDefault)
    return unknownKeys(schema.unwrap(), value, path)
  if (schema instanceof z.ZodPipe)
    return unknownKeys(schema.in instanceof z.ZodTransform ? schema.out : schema.in, value, path)
  return []
}

export function unknownKey(path: readonly string[], known: readonly string[]): Problem {
  const near = closest(path.at(-1) ?? '', known)
  return {
    key: path.join('.').slice(0, 200),
    message: near === undefined ? 'is not known' : `is not known; did you mean ${near}?`,
  }
}
