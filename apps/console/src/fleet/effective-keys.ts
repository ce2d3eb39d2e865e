/** Every key with its value on an edge of a layer, if the fleet sets it. */
import type { ConfigKey } from '@imapfleet/api'
import { lacksName, manualOf } from './draft.ts'
import { keysOf, type LayerKey } from './layer-keys.ts'

export interface EffectiveKey {
  key: string
  /** Undefined: no layer sets it. The edge's own file does, or the default applies. */
  set: LayerKey | undefined
  known: ConfigKey | undefined
}

/** `chain`: names of layers from the lowest (`global`) up. Keys with NAME are listed only if a layer sets them. */
export function effectiveKeys(
  layers: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
  chain: readonly string[],
  manual: readonly ConfigKey[],
): EffectiveKey[] {
  const set = keysOf(layers, chain).map((each) => ({
    key: each.key,
    set: each,
    known: manualOf(each.key, manual),
  }))
  const names = new Set(set.map(({ key }) => key))
  const others = manual
    .filter(({ key }) => !names.has(key) && !lacksName(key))
    .map((known) => ({ key: known.key, set: undefined, known }))
  return [...set, ...others].sort((one, other) => (one.key < other.key ? -1 : 1))
}

/** All words occur in the key, its value or its description. */
export function matchingKeys(keys: readonly EffectiveKey[], text: string): EffectiveKey[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean)
  return keys.filter(({ key, set, known }) => {
    const searched = `${key} ${JSON.stringify(set?.value) ?? ''} ${known?.help ?? ''}`.toLowerCase()
    return words.every((word) => searched.includes(word))
  })
}
