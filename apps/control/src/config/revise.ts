/** A change to one layer: the document after it, and what differs. Pure; nothing is stored here. */
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
  /** `restart`: an edge follows only when it is started again. */
  reload: 'live' | 'restart'
}

export type Revised = { ok: true; document: Layer; changes: KeyChange[] } | { ok: false; problems: Problem[] }

/** All layers of an edge, its traces and revocations go into one message of at most 1 MiB. */
const layerBytesMax = 262_144

/** What keys are set to and taken out. */
export function revise(
  before: Layer,
  change: { set: Readonly<Record<string, JsonValue>>; unset: readonly string[] },
): Revised {
  let after = before
  for (const [key, value] of Object.entries(change.set)) after = writeKey(after, key, value)
  for (const key of change.unset) after = writeKey(after, key, undefined)
  return replaced(before, after)
}

/** The whole layer by another, such as an older one of itself. */
export function replaced(before: Layer, after: Layer): Revised {
  const checked = checkLayer(after)
  const problems = [
    ...(checked.ok ? [] : checked.problems),
    ...problemsOfSize(after),
    ...problemsOfSecrets(after),
  ]
  if (problems.length > 0) return { ok: false, problems }
  return { ok: true, document: after, changes: changesBetween(before, after) }
}

/** Key by key, without secrets: of a changed secret only that it has changed is told. */
function changesBetween(before: Layer, after: Layer): KeyChange[] {
  const leaves = (layer: Layer) => new Map(flattenLayer(layer))
  const [was, is, wasShown, isShown] = [
    leaves(before),
    leaves(after),
    leaves(redact(before)),
    leaves(redact(after)),
  ]
  return [...new Set([...was.keys(), ...is.keys()])]
    .filter((key) => JSON.stringify(was.get(key)) !== JSON.stringify(is.get(key)))
    .sort()
    .map((key) => ({
      key,
      before: wasShown.get(key) ?? null,
      after: isShown.get(key) ?? null,
      reload: reloadOf(key),
    }))
}

const manual = new Map(describeKeys().map(({ key, reload }) => [key, reload]))

/** As the manual has it, where NAME stands for a name of one's own and [] for a list. */
function reloadOf(key: string): 'live' | 'restart' {
  const [section = '', , ...rest] = key.split('.')
  return manual.get(key) ?? manual.get([section, 'NAME', ...rest].join('.')) ?? 'live'
}

function problemsOfSize(layer: Layer): Problem[] {
  const bytes = Buffer.byteLength(JSON.stringify(layer))
  return bytes <= layerBytesMax ? [] : [{ key: '', message: `is larger than ${layerBytesMax} bytes as JSON` }]
}

/** What was shown in place of a secret must not be stored as one. */
const problemsOfSecrets = (layer: Layer): Problem[] =>
  flattenLayer(layer)
    .filter(([, value]) => value === redacted)
    .map(([key]) => ({
      key,
      message: `is ${redacted}: omit the key to keep the secret, or write the secret`,
    }))
