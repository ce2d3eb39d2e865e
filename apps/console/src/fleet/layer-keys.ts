/** What is set for a layer: by itself, and by those beneath it that it does not override. */
import { leavesOf } from './draft.ts'

export interface LayerKey {
  key: string
  value: unknown
  /** Name of the layer that sets it. */
  from: string
  /** What it hides of a layer beneath. */
  instead?: { value: unknown; from: string }
}

/** `chain`: names of layers from the lowest (`global`) to the one that is looked at. */
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
