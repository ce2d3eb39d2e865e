/** Changes to a layer that are not written yet: each key with what is typed for it, or taken out. */
import type { ConfigKey, RevisionRequest } from '@imapfleet/protocol'

export interface DraftChange {
  key: string
  /** As typed; undefined: the key is taken out of the layer. */
  text: string | undefined
}

type Json = NonNullable<RevisionRequest['set']>[string]

/** As in YAML, as far as one line goes: numbers, true, false, null, lists with or without quotes; all else is text. */
export function parseSetting(text: string): Json {
  const trimmed = text.trim()
  try {
    return JSON.parse(trimmed) as Json
  } catch {
    const list = /^\[(.*)\]$/s.exec(trimmed)?.[1]
    return list === undefined ? trimmed : list.split(',').map(parseSetting)
  }
}

export const textOf = (value: unknown): string =>
  typeof value === 'string' && parseSetting(value) === value ? value : JSON.stringify(value)

/** The name that a key of the manual leaves to its reader: `upstreams.NAME.port`. */
const placeholder = 'NAME'

/** How the manual describes a key: `upstreams.main.port` as `upstreams.NAME.port`. */
export function manualOf(key: string, manual: readonly ConfigKey[]): ConfigKey | undefined {
  const parts = key.trim().split('.')
  return manual.find(({ key: pattern }) => {
    const wanted = pattern.split('.')
    return (
      wanted.length === parts.length && wanted.every((part, at) => part === placeholder || part === parts[at])
    )
  })
}

/** Every key that may be typed; those of upstreams with the names that the fleet has. */
export const keysToType = (manual: readonly ConfigKey[], upstreams: readonly string[]): string[] =>
  manual.flatMap(({ key }) =>
    key.startsWith(`upstreams.${placeholder}.`) && upstreams.length > 0
      ? upstreams.map((name) => key.replace(placeholder, name))
      : [key],
  )

export const lacksName = (key: string): boolean => key.split('.').includes(placeholder)

/** What goes to control. Keys without a name, or of something without a name, are not finished yet. */
export function revisionRequestOf(changes: readonly DraftChange[]): Pick<RevisionRequest, 'set' | 'unset'> {
  const named = changes.filter(({ key }) => key.trim() !== '' && !lacksName(key.trim()))
  const set = named.flatMap(({ key, text }): [string, Json][] =>
    text === undefined ? [] : [[key.trim(), parseSetting(text)]],
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
