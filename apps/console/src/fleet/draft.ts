/** Unwritten changes of a layer: each key with its typed value, or its removal. */
import type { ConfigKey, RevisionRequest } from '@imapfleet/api'

export interface DraftChange {
  key: string
  /** As typed; undefined: the key is removed from the layer. */
  text: string | undefined
}

type Json = NonNullable<RevisionRequest['set']>[string]

/** Parses one line as YAML: numbers, true, false, null, lists with or without quotes. Everything else is text. */
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

/** The placeholder in a key of the manual: `upstreams.NAME.port`. */
const placeholder = 'NAME'

/** The key in the notation of the manual: `upstreams.main.port` → `upstreams.NAME.port`. */
export function manualOf(key: string, manual: readonly ConfigKey[]): ConfigKey | undefined {
  const parts = key.trim().split('.')
  return manual.find(({ key: pattern }) => {
    const wanted = pattern.split('.')
    return (
      wanted.length === parts.length && wanted.every((part, at) => part === placeholder || part === parts[at])
    )
  })
}

/** All keys that can be typed; keys of upstreams with the names in the fleet. */
export const keysToType = (manual: readonly ConfigKey[], upstreams: readonly string[]): string[] =>
  manual.flatMap(({ key }) =>
    key.startsWith(`upstreams.${placeholder}.`) && upstreams.length > 0
      ? upstreams.map((name) => key.replace(placeholder, name))
      : [key],
  )

export const lacksName = (key: string): boolean => key.split('.').includes(placeholder)

/** The request to control. Keys that are empty or still have a placeholder are left out. */
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
