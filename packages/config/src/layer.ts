/**
 * Layers: partial configurations, merged in the order file, global, region, edge. A layer is checked for unknown keys,
 * types and bounds; contradictions are found only in the merged configuration (resolve.ts).
 */
import { z } from 'zod'
import { metaOf } from './fields.ts'
import { toProblem, problemsOf, type Problem } from './problem.ts'
import { childOf, isSection, schemaAt, shapeOf, droppedKeys, unwrapped } from './schema-walk.ts'
import { sectionsSchema, steerableSections } from './schema.ts'

export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue }
/** A partial configuration: only the keys that differ from the layers before it. */
export type Layer = { [key: string]: JsonValue }

/** The same schema with every key optional and without defaults, and without the keys that only the file can set. */
function partialOf(schema: z.ZodType): z.ZodType {
  const inner = unwrapped(schema)
  if (inner instanceof z.ZodObject) {
    const steerable = Object.entries(shapeOf(inner)).filter(([, child]) => !metaOf(child)?.hostOnly)
    const shape = steerable.map(([key, child]) => {
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

/** What a layer may have. `checkLayer` also finds what the schema leaves out without an error. */
export const layerSchema = z.strictObject(
  Object.fromEntries(
    steerableSections.map((section) => [section, partialOf(sectionsSchema.shape[section]).optional()]),
  ),
)

/** Checks a layer that the fleet sets. The result contains only what the schema has read. */
export function checkLayer(layer: unknown): { ok: true; layer: Layer } | { ok: false; problems: Problem[] } {
  const parsed = layerSchema.safeParse(layer)
  const unread = droppedKeys(layerSchema, layer)
  if (parsed.success && unread.length === 0) return { ok: true, layer: parsed.data as Layer }
  const found = parsed.success ? [] : problemsOf(parsed.error, layerSchema, layer)
  const problems = found.map((problem) =>
    isHostOnly(problem.path)
      ? { ...problem, message: 'can be set only in the configuration file of the edge, not by the fleet' }
      : problem,
  )
  return { ok: false, problems: [...problems, ...unread].map((problem) => toProblem(problem)) }
}

/**
 * The layer without the keys that only the file of the edge can set, and those keys. A layer that control stored before a
 * key became one of the file can have them.
 */
export function withoutHostKeys(layer: Layer): { layer: Layer; ignored: string[] } {
  const ignored = flattenLayer(layer)
    .map(([key]) => key)
    .filter((key) => isHostOnly(key.split('.')))
  return { layer: ignored.reduce((left, key) => writeKey(left, key, undefined), layer), ignored }
}

/** Whether a known key belongs to the file of the edge. */
function isHostOnly(path: readonly string[]): boolean {
  const [section = ''] = path
  if (!Object.hasOwn(sectionsSchema.shape, section)) return false
  if (!layerSchema.shape[section]) return true
  const schema = schemaAt(sectionsSchema, path)
  return schema !== undefined && metaOf(schema)?.hostOnly === true
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
