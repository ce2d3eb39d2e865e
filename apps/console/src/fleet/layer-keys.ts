/** The keys of a layer: its own keys, and keys of lower layers that it does not override. */
import { leavesOf } from './draft.ts'

export interface LayerKey {
  key: string
  value: unknown
  /** The layer that sets it. */
  from: string
  /** The value of a lower layer that it overrides. */
  instead?: { value: unknown; from: string }
}

/** `chain`: names of layers from the lowest (`global`) to the one on the page. */
export function keysOf(
  layers: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
  chain: readonly string[],
): LayerKey[] {
  const keys = new Map<string, LayerKey>()
  for (const from of chain)
    for (const { key, value } of leavesOf(layers[from] ?? {})) {
      const hidden = keys.get(key)
      keys.set(key, {
        ...{ key, value, from },
        ...(hidden && { instead: { value: hidden.value, from: hidden.from } }),
      })
    }
  return [...keys.values()].sort((one, other) => (one.key < other.key ? -1 : 1))
}
