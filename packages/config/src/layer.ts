/**
 * Layers: partial configurations, merged in the order file, global, region, edge. A layer is checked for unknown keys,
 * types and bounds; contradictions are found only in the merged configuration (resolve.ts).
 */
import { z } from 'zod'
import { metaOf } from './fields.ts'
import { toProblem, problemsOf, type Problem } from './problem.ts'
import { childOf, isSection, shapeOf, unwrapped } from './schema-walk.ts'
import { sectionsSchema, steerableSections } from './schema.ts'

export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue }
/** A partial configuration: only the keys that differ from the layers before it. */
export type Layer = { [key: string]: JsonValue }

/** The same schema with every key optional and without defaults. */
function partialOf(schema: z.ZodType): z.ZodType {
  const inner = unwrapped(schema)
  if (inner instanceof z.ZodObject) {
    const shape = Object.entries(shapeOf(inner)).map(([key, child]) => {
      const optional = partialOf(child).optional()
      const meta = metaOf(child)
      // partialOf removes the metadata, and with it the mark of a secret.
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

/** Checks a layer that the fleet sets. */
export function checkLayer(layer: unknown): { ok: true; layer: Layer } | { ok: false; problems: Problem[] } {
  const parsed = layerSchema.safeParse(layer)
  if (parsed.success) return { ok: true, layer: parsed.data as Layer }
  const problems = problemsOf(parsed.error, layerSchema, layer).map((problem) =>
    problem.path.length === 1 &&
    Object.hasOwn(sectionsSchema.shape, problem.path[0]!) &&
    !layerSchema.shape[problem.path[0]!]
      ? { ...problem, message: 'can be set only in the configuration file of the edge, not by the fleet' }
      : problem,
  )
  return { ok: false, problems: problems.map((problem) => toProblem(problem)) }
}

/** Merges objects key by key; any other value in `over` replaces the one in `base`. Changes neither argument. */
export function mergeLayers(base: Layer, over: Layer): Layer {
  const merged: Layer = { ...base }
  for (const [key, value] of Object.entries(over)) {
    const below = Object.hasOwn(merged, key) ? merged[key] : undefined
    define(merged, key, isSection(below) && isSection(value) ? mergeLayers(below, value) : value)
  }
  return merged
}

/** The value of a dotted key such as `pool.idleTimeoutMs`; undefined if the layer does not set it. */
export function readKey(layer: Layer, key: string): JsonValue | undefined {
  let at: JsonValue | undefined = layer
  for (const part of key.split('.')) at = isSection(at) && Object.hasOwn(at, part) ? at[part] : undefined
  return at
}

/** A copy of the layer with one dotted key set. `undefined` removes the key, and the sections that become empty. */
export function writeKey(layer: Layer, key: string, value: JsonValue | undefined): Layer {
  const [head, ...rest] = key.split('.') as [string, ...string[]]
  const copy: Layer = Object.fromEntries(Object.entries(layer))
  if (rest.length === 0) {
    if (value === undefined) delete copy[head]
    else define(copy, head, value)
    return copy
  }
  const below = Object.hasOwn(copy, head) && isSection(copy[head]) ? copy[head] : {}
  const written = writeKey(below, rest.join('.'), value)
  if (value === undefined && Object.keys(written).length === 0) delete copy[head]
  else define(copy, head, written)
  return copy
}

/** Makes an own property even of `__proto__`, so that the schema sees and refuses it. */
function define(target: Layer, key: string, value: JsonValue): void {
  Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true })
}

/** Dotted keys with their values, in alphabetical order. A list is one value. */
export function flattenLayer(layer: Layer, prefix = ''): [string, JsonValue][] {
  return Object.entries(layer)
    .flatMap(([key, value]): [string, JsonValue][] =>
      isSection(value) && Object.keys(value).length > 0
        ? flattenLayer(value, `${prefix}${key}.`)
        : [[prefix + key, value]],
    )
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
}
