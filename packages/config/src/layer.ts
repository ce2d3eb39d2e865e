/**
 * Layers: partial documents that lie over one another (file ← global ← region ← edge). A layer is checked on its own
 * for unknown keys, types and bounds; the whole only where it is resolved.
 */
import { z } from 'zod'
import { metaOf } from './fields.ts'
import { byKey, problemsOf, type Problem } from './problem.ts'
import { childOf, shapeOf, unwrapped } from './schema-walk.ts'
import { sectionsSchema, steerableSections } from './schema.ts'

export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue }
/** A partial configuration: only the keys that differ from the layer beneath. */
export type Layer = { [key: string]: JsonValue }

/** The same schema with every key optional and no default. */
function partialOf(schema: z.ZodType): z.ZodType {
  const inner = unwrapped(schema)
  if (inner instanceof z.ZodObject) {
    const shape = Object.entries(shapeOf(inner)).map(([key, child]) => {
      const optional = partialOf(child).optional()
      const meta = metaOf(child)
      // The manual, and with it the mark of a secret, stays with a field.
      return [key, meta ? optional.meta({ ...meta }) : optional]
    })
    return z.strictObject(Object.fromEntries(shape))
  }
  if (inner instanceof z.ZodRecord)
    return z.record(inner.keyType as z.ZodString, partialOf(childOf(inner, '')!))
  return inner
}

const layerSchema = z.strictObject(
  Object.fromEntries(
    steerableSections.map((section) => [section, partialOf(sectionsSchema.shape[section]).optional()]),
  ),
)

/** Checks a layer on its own. */
export function checkLayer(layer: unknown): { ok: true; layer: Layer } | { ok: false; problems: Problem[] } {
  const parsed = layerSchema.safeParse(layer)
  if (parsed.success) return { ok: true, layer: parsed.data as Layer }
  const problems = problemsOf(parsed.error, layerSchema, layer).map((problem) =>
    problem.path.length === 1 &&
    Object.hasOwn(sectionsSchema.shape, problem.path[0]!) &&
    !layerSchema.shape[problem.path[0]!]
      ? { ...problem, message: "belongs to the host's own file; the fleet cannot set it" }
      : problem,
  )
  return { ok: false, problems: problems.map((problem) => byKey(problem)) }
}

const isObject = (value: unknown): value is Layer =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Lays `over` upon `base`: objects merge key by key, anything else replaces. Neither argument is changed. */
export function mergeLayers(base: Layer, over: Layer): Layer {
  const merged: Layer = { ...base }
  for (const [key, value] of Object.entries(over)) {
    const below = Object.hasOwn(merged, key) ? merged[key] : undefined
    define(merged, key, isObject(below) && isObject(value) ? mergeLayers(below, value) : value)
  }
  return merged
}

/** `pool.idleTimeoutMs` → its value in a layer, or undefined. */
export function readKey(layer: Layer, key: string): JsonValue | undefined {
  let at: JsonValue | undefined = layer
  for (const part of key.split('.')) at = isObject(at) && Object.hasOwn(at, part) ? at[part] : undefined
  return at
}

/** A copy of the layer with one dotted key set, or, with `undefined`, removed together with objects it leaves empty. */
export function writeKey(layer: Layer, key: string, value: JsonValue | undefined): Layer {
  const [head, ...rest] = key.split('.') as [string, ...string[]]
  const copy: Layer = Object.fromEntries(Object.entries(layer))
  if (rest.length === 0) {
    if (value === undefined) delete copy[head]
    else define(copy, head, value)
    return copy
  }
  const below = Object.hasOwn(copy, head) && isObject(copy[head]) ? copy[head] : {}
  const written = writeKey(below, rest.join('.'), value)
  if (value === undefined && Object.keys(written).length === 0) delete copy[head]
  else define(copy, head, written)
  return copy
}

/** An own property even for `__proto__`, so that the schema sees and refuses it. */
function define(target: Layer, key: string, value: JsonValue): void {
  Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true })
}

/** Every leaf of a layer by its dotted key, arrays as one leaf, in alphabetical order. */
export function leavesOf(layer: Layer, prefix = ''): [string, JsonValue][] {
  return Object.entries(layer)
    .flatMap(([key, value]): [string, JsonValue][] =>
      isObject(value) && Object.keys(value).length > 0
        ? leavesOf(value, `${prefix}${key}.`)
        : [[prefix + key, value]],
    )
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
}
