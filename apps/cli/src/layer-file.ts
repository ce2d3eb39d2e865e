/** A file with one layer: parsed, and compared with the layer of the fleet. Nothing is read or sent here. */
import { isDeepStrictEqual } from 'node:util'
import {
  checkLayer,
  detectFormat,
  flattenLayer,
  isSecretKey,
  printProblem,
  readYaml,
  redacted,
  writeKey,
  type JsonValue,
  type Layer,
  type Problem,
} from '@imapfleet/config'

export type ParsedLayer =
  | {
      ok: true
      /** A secret may be the placeholder for the one that the fleet has. */
      layer: Layer
      /** Line of this dotted key. */
      lineOf: (key: string) => number | undefined
    }
  /** One sentence for each mistake, with file and line. */
  | { ok: false; mistakes: string[] }

/** Parses a layer in YAML, as `config export` writes one and `config get --output json` prints one. */
export function parseLayer(content: string, file: string): ParsedLayer {
  const refused = (problems: readonly Problem[]): ParsedLayer => ({
    ok: false,
    mistakes: problems.map((problem) => printProblem(problem, file)),
  })
  if (detectFormat(content) === 'imapproxy-conf')
    return {
      ok: false,
      mistakes: [`${file}: this is an imapproxy.conf: use \`imapfleet config import ${file}\``],
    }
  const yaml = readYaml(content)
  if (!yaml.ok) return refused(yaml.problems)
  const given = yaml.data ?? {}
  const kept = placeholdersIn(given)
  const checked = checkLayer(kept.reduce((layer, key) => writeKey(layer, key, undefined), given as Layer))
  const lineOf = (key: string) => yaml.lineOf(key.split('.'))
  if (checked.ok)
    return {
      ok: true,
      layer: kept.reduce((layer, key) => writeKey(layer, key, redacted), checked.layer),
      lineOf,
    }
  return refused(
    checked.problems.map((problem) => {
      const line = lineOf(problem.key)
      return line === undefined ? problem : { ...problem, line }
    }),
  )
}

/** Secrets that are written as the placeholder. */
const placeholdersIn = (given: unknown): string[] =>
  typeof given !== 'object' || given === null || Array.isArray(given)
    ? []
    : flattenLayer(given as Layer)
        .filter(([key, value]) => value === redacted && isSecretKey(key))
        .map(([key]) => key)

/** The keys of a revision request. */
export interface LayerEdit {
  set: Record<string, JsonValue>
  unset: string[]
}

/** The change that makes `current` equal to `wanted`. A placeholder leaves the secret as it is. */
export function changeBetween(current: Layer, wanted: Layer): LayerEdit {
  const [has, wants] = [new Map(flattenLayer(current)), new Map(flattenLayer(wanted))]
  const changed = [...wants].filter(
    ([key, value]) => value !== redacted && !isDeepStrictEqual(has.get(key), value),
  )
  return { set: Object.fromEntries(changed), unset: [...has.keys()].filter((key) => !wants.has(key)) }
}

export const isSame = ({ set, unset }: LayerEdit): boolean =>
  Object.keys(set).length === 0 && unset.length === 0

/** Placeholders for secrets that the fleet does not have. */
export function missingSecrets(current: Layer, wanted: Layer): string[] {
  const has = new Map(flattenLayer(current))
  return flattenLayer(wanted).flatMap(([key, value]) => (value === redacted && !has.has(key) ? [key] : []))
}
