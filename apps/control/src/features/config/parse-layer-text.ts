/** Reads a layer that an operator typed as YAML. The keys and their values are checked when they are written. */
import type { LayerTextRead } from '@imapfleet/api'
import { readYaml, type JsonValue } from '@imapfleet/config'

/** Deeper keys do not exist. */
const depthMax = 12

export function parseLayerText(text: string): LayerTextRead {
  const read = readYaml(text)
  if (!read.ok) {
    const [mistake] = read.problems
    return {
      set: {},
      mistake: { message: mistake?.message ?? 'cannot be read', line: mistake?.line ?? null },
    }
  }
  const { data } = read
  if (data !== null && data !== undefined && !isMap(data))
    return { set: {}, mistake: { message: 'must be keys with values, such as pool:', line: 1 } }
  const set = new Map<string, JsonValue>()
  const wrong = flatten(data ?? {}, [], set)
  if (wrong) return { set: {}, mistake: { message: wrong.message, line: read.lineOf(wrong.path) ?? null } }
  return { set: Object.fromEntries(set), mistake: null }
}

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Returns the first mistake. */
function flatten(
  values: Readonly<Record<string, unknown>>,
  above: readonly string[],
  into: Map<string, JsonValue>,
): { path: readonly string[]; message: string } | undefined {
  for (const [name, value] of Object.entries(values)) {
    const path = [...above, name]
    if (name.includes('.')) return { path, message: `write ${name} as sections, without dots` }
    if (isMap(value) && path.length < depthMax) {
      const wrong = flatten(value, path, into)
      if (wrong) return wrong
    } else if (isJson(value)) into.set(path.join('.'), value)
    else return { path, message: `${path.join('.')} has no value of a configuration` }
  }
  return undefined
}

/** A layer cannot contain dates, big integers or NaN of YAML. */
const isJson = (value: unknown): value is JsonValue =>
  value === null ||
  typeof value === 'string' ||
  typeof value === 'boolean' ||
  (typeof value === 'number' && Number.isFinite(value)) ||
  (Array.isArray(value) && value.every(isJson))
