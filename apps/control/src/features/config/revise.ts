/** A change of one layer: the new document, and the difference. Pure; nothing is stored here. */
import { isDeepStrictEqual } from 'node:util'
import {
  checkLayer,
  describeKeys,
  flattenLayer,
  redact,
  redacted,
  writeKey,
  type JsonValue,
  type Layer,
  type Problem,
} from '@imapfleet/config'

export interface KeyChange {
  key: string
  before: JsonValue
  after: JsonValue
  /** `restart`: takes effect when the edge restarts. */
  reload: 'live' | 'restart'
}

export type Revised = { ok: true; document: Layer; changes: KeyChange[] } | { ok: false; problems: Problem[] }

/** All layers of an edge, with its traces and revocations, must fit into one message of at most 1 MiB. */
const layerBytesMax = 262_144

/** Keys to set and to unset. */
export function revise(
  before: Layer,
  change: { set: Readonly<Record<string, JsonValue>>; unset: readonly string[] },
): Revised {
  let after = before
  for (const [key, value] of Object.entries(change.set)) after = writeKey(after, key, value)
  for (const key of change.unset) after = writeKey(after, key, undefined)
  return replaced(before, after)
}

/** Replaces the whole layer, for example by an older version of it. */
export function replaced(before: Layer, after: Layer): Revised {
  const checked = checkLayer(after)
  const problems = [
    ...(checked.ok ? [] : checked.problems),
    ...problemsOfSize(after),
    ...problemsOfSecrets(after),
  ]
  if (!checked.ok || problems.length > 0) return { ok: false, problems }
  // What is stored is what the schema has read.
  const document = checked.layer
  return { ok: true, document, changes: changesBetween(before, document) }
}

/** The difference by key, without secrets: for a changed secret it only says that it changed. */
function changesBetween(before: Layer, after: Layer): KeyChange[] {
  const leaves = (layer: Layer) => new Map(flattenLayer(layer))
  const [was, is, wasShown, isShown] = [
    leaves(before),
    leaves(after),
    leaves(redact(before)),
    leaves(redact(after)),
  ]
  return (
    [...new Set([...was.keys(), ...is.keys()])]
      // Postgres reorders the keys of an object, also in entries of a list.
      .filter((key) => !isDeepStrictEqual(was.get(key), is.get(key)))
      .sort()
      .map((key) => ({
        key,
        before: wasShown.get(key) ?? null,
        after: isShown.get(key) ?? null,
        reload: reloadOf(key),
      }))
  )
}

const manual = new Map(describeKeys().map(({ key, reload }) => [key, reload]))

/** The key in the notation of the manual: NAME for a name that the operator chooses, [] for a list. */
function reloadOf(key: string): 'live' | 'restart' {
  const [section = '', , ...rest] = key.split('.')
  return manual.get(key) ?? manual.get([section, 'NAME', ...rest].join('.')) ?? 'live'
}

function problemsOfSize(layer: Layer): Problem[] {
  const bytes = Buffer.byteLength(JSON.stringify(layer))
  return bytes <= layerBytesMax ? [] : [{ key: '', message: `is larger than ${layerBytesMax} bytes as JSON` }]
}

/** The placeholder for a secret must not be stored as a secret. */
const problemsOfSecrets = (layer: Layer): Problem[] =>
  flattenLayer(layer)
    .filter(([, value]) => value === redacted)
    .map(([key]) => ({
      key,
      message: `is ${redacted}: omit the key to keep the secret, or write the secret`,
    }))
