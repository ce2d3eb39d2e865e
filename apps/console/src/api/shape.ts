/**
 * Checks answers of control against shapes: what JSON Schema says about kinds of values, fields and items. `contract.ts` beside
 * the sources makes them from the schemas of packages/api when the console is built, because those are slow to create in a browser
 * (ADR 49). Lengths, ranges and formats are not part of a shape: control has checked what it stores.
 */
import type { Parser } from '@imapfleet/client'

export type ShapeKind = 'string' | 'number' | 'integer' | 'boolean' | 'null' | 'array' | 'object'

/** Without a field: any value. */
export interface Shape {
  /** The name of a shape. */
  $ref?: string
  type?: ShapeKind | readonly ShapeKind[]
  enum?: readonly unknown[]
  anyOf?: readonly Shape[]
  items?: Shape
  properties?: Readonly<Record<string, Shape>>
  /** Of `properties`. */
  required?: readonly string[]
  /** Of fields that are not in `properties`. Missing: they are ignored. */
  additionalProperties?: Shape
  /** Of a field: its value if control left it out. */
  default?: unknown
}

export type NamedShapes = Readonly<Record<string, Shape>>

interface Fault {
  path: (string | number)[]
  message: string
}

/** Left-out fields with a default are added to the data itself. */
export const parserOf = (shape: Shape, named: NamedShapes): Parser => ({
  safeParse(data) {
    const fault = faultIn(shape, data, named)
    return fault ? { success: false, error: { issues: [fault] } } : { success: true, data }
  },
})

function faultIn(shape: Shape, value: unknown, named: NamedShapes): Fault | undefined {
  if (shape.$ref !== undefined) return faultIn(named[shape.$ref] ?? {}, value, named)
  if (shape.anyOf)
    return shape.anyOf.some((each) => faultIn(each, value, named) === undefined)
      ? undefined
      : fault('is none of what is possible')
  if (shape.type !== undefined && !isOfKind(shape.type, value)) return fault(`is not ${String(shape.type)}`)
  if (shape.enum?.includes(value) === false) return fault('has an unknown value')
  if (Array.isArray(value)) return shape.items && faultInItems(shape.items, value, named)
  return typeof value === 'object' && value !== null
    ? faultInFields(shape, value as Record<string, unknown>, named)
    : undefined
}

function isOfKind(kind: ShapeKind | readonly ShapeKind[], value: unknown): boolean {
  if (typeof kind !== 'string') return kind.some((each) => isOfKind(each, value))
  if (kind === 'null') return value === null
  if (kind === 'array') return Array.isArray(value)
  if (kind === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value)
  return kind === 'integer' ? Number.isInteger(value) : typeof value === kind
}

function faultInItems(shape: Shape, values: readonly unknown[], named: NamedShapes): Fault | undefined {
  for (let index = 0; index < values.length; index++) {
    const found = faultIn(shape, values[index], named)
    if (found) return within(index, found)
  }
  return undefined
}

function faultInFields(shape: Shape, fields: Record<string, unknown>, named: NamedShapes): Fault | undefined {
  const { properties = {}, required = [], additionalProperties: others } = shape
  for (const name of required) if (fields[name] === undefined) return within(name, fault('is missing'))
  for (const name in properties) {
    const field = properties[name] ?? {}
    if (fields[name] === undefined) {
      if (field.default !== undefined) fields[name] = structuredClone(field.default)
      continue
    }
    const found = faultIn(field, fields[name], named)
    if (found) return within(name, found)
  }
  if (others)
    for (const name in fields) {
      const found = Object.hasOwn(properties, name) ? undefined : faultIn(others, fields[name], named)
      if (found) return within(name, found)
    }
  return undefined
}

const fault = (message: string): Fault => ({ path: [], message })

function within(place: string | number, found: Fault): Fault {
  found.path.unshift(place)
  return found
}
