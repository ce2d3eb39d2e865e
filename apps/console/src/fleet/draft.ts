/** Changes to a layer that are not written yet: each key with what is typed for it, or taken out. */
import type { RevisionRequest } from '@imapfleet/protocol'

export interface DraftChange {
  key: string
  /** As typed; undefined: the key is taken out of the layer. */
  text: string | undefined
}

type Json = NonNullable<RevisionRequest['set']>[string]

/** As in YAML, as far as one line goes: numbers, true, false, null, lists and objects in JSON; all else is text. */
export function valueOf(text: string): Json {
  const trimmed = text.trim()
  try {
    return JSON.parse(trimmed) as Json
  } catch {
    return trimmed
  }
}

export const textOf = (value: unknown): string =>
  typeof value === 'string' && valueOf(value) === value ? value : JSON.stringify(value)

/** What goes to control. Keys without a name are not finished yet. */
export function requestOf(changes: readonly DraftChange[]): Pick<RevisionRequest, 'set' | 'unset'> {
  const named = changes.filter(({ key }) => key.trim() !== '')
  const set = named.flatMap(({ key, text }): [string, Json][] =>
    text === undefined ? [] : [[key.trim(), valueOf(text)]],
  )
  return {
    set: Object.fromEntries(set),
    unset: named.filter(({ text }) => text === undefined).map(({ key }) => key.trim()),
  }
}

/** `{ pool: { usesMax: 5 } }` → `pool.usesMax` 5. Lists are values. */
export function leavesOf(
  layer: Readonly<Record<string, unknown>>,
  prefix = '',
): { key: string; value: unknown }[] {
  return Object.entries(layer).flatMap(([name, value]) => {
    const key = `${prefix}${name}`
    const isGroup = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isGroup ? leavesOf(value as Record<string, unknown>, `${key}.`) : [{ key, value }]
  })
}
