/** The reverse of a revision, on top of what came after it. Pure; nothing is stored here. */
import { isDeepStrictEqual } from 'node:util'
import { flattenLayer, type JsonValue, type Layer } from '@imapfleet/config'

export type Undoing =
  | { ok: true; set: Record<string, JsonValue>; unset: string[] }
  /** Keys that a later revision changed again: the value from before may be wrong now. */
  | { ok: false; changedSince: string[] }

/** `before` and `after`: the layer without and with the revision. Keys that it did not change stay as they are now. */
export function undoing(before: Layer, after: Layer, now: Layer): Undoing {
  const [was, made, is] = [before, after, now].map((layer) => new Map(flattenLayer(layer))) as [
    Map<string, JsonValue>,
    Map<string, JsonValue>,
    Map<string, JsonValue>,
  ]
  const keys = [...new Set([...was.keys(), ...made.keys()])]
    .filter((key) => !isDeepStrictEqual(was.get(key), made.get(key)))
    .toSorted()
  const changedSince = keys.filter(
    (key) => !isDeepStrictEqual(is.get(key), made.get(key)) && !isDeepStrictEqual(is.get(key), was.get(key)),
  )
  if (changedSince.length > 0) return { ok: false, changedSince }
  return {
    ok: true,
    set: Object.fromEntries(
      keys.flatMap((key) => {
        const value = was.get(key)
        return value === undefined ? [] : [[key, value] as const]
      }),
    ),
    unset: keys.filter((key) => was.get(key) === undefined),
  }
}
