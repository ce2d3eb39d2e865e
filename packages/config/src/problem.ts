/** What is wrong with a configuration: one problem for each key, with a sentence that says how to correct it. */
import { z } from 'zod'
import { closest } from './closest.ts'
import { metaOf } from './fields.ts'
import { childOf, schemaAt, shapeOf, unwrapped } from './schema-walk.ts'

export interface Problem {
  /** Dotted key, such as `pool.idleTimeoutMs`; empty for the document as a whole. */
  key: string
  /** Continues a sentence that begins with the key: `must be at least 1000, not 5`. */
  message: string
  /** Line in the file, from 1, if known. */
  line?: number
}

/** A problem whose key is still in parts, because a key in a YAML file may itself contain dots. */
export interface PathProblem {
  path: string[]
  message: string
}

export function toProblem({ path, message }: PathProblem, line?: number): Problem {
  return { key: path.join('.'), message, ...(line !== undefined && { line }) }
}

/** The issues of a failed parse. `input` is what was parsed; its values are quoted, except secrets. */
export function problemsOf(error: z.ZodError, schema: z.ZodType, input: unknown): PathProblem[] {
  return error.issues.flatMap((issue) => {
    const path = issue.path.map(String)
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map((key) => ({ path: [...path, key], message: unknownKey(schema, path, key) }))
    const isMissing = valueAt(input, path) === undefined
    return [{ path, message: sentence(issue, quoted(schema, input, path), isMissing) }]
  })
}

/**
 * The same words for a schema elsewhere, as the option `error` of a parse. Undefined: those of the schema, or of zod. The value is not
 * quoted, because it can be a secret.
 */
export function wordsOfIssue(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === 'invalid_format' && issue.format === 'uuid') return 'must be a UUID'
  if (issue.code === 'too_small' && issue.origin === 'string' && issue.minimum === 1)
    return 'must not be empty'
  return (
    sentence({ ...issue, path: [], message: '' } as z.core.$ZodIssue, '', issue.input === undefined) ||
    undefined
  )
}

/** `edge.yaml:12: pool.usesMax must be at least 1, not 0`. */
export function printProblem({ key, message, line }: Problem, file?: string): string {
  const place = [file, line].filter((part) => part !== undefined).join(':')
  return [place && `${place}:`, key, message].filter(Boolean).join(' ')
}

function sentence(issue: z.core.$ZodIssue, got: string, isMissing: boolean): string {
  switch (issue.code) {
    case 'too_small':
      return `must be at least ${issue.minimum}${unitOf(issue.origin, issue.minimum)}${got}`
    case 'too_big':
      return `must be at most ${issue.maximum}${unitOf(issue.origin, issue.maximum)}${got}`
    case 'invalid_type':
      return `${isMissing ? 'is missing; it ' : ''}must be ${nameOf(issue.expected)}${got}`
    case 'invalid_value':
      return `must be one of ${issue.values.map(String).join(', ')}${got}`
    case 'invalid_key':
      return `has an invalid name; it ${issue.issues[0]?.message ?? ''}`
    default:
      return `${issue.message}${got}`
  }
}

/** `, not 5`: the refused value, unless it is a secret or not a single value. */
function quoted(schema: z.ZodType, input: unknown, path: string[]): string {
  const at = schemaAt(schema, path)
  const value = valueAt(input, path)
  if (at && metaOf(at)?.secret) return ''
  // An address may hold a password: nats://user:password@host.
  if (typeof value === 'string')
    return `, not ${JSON.stringify(value.replace(/\/\/[^/]*@/, '//').slice(0, 80))}`
  return typeof value === 'number' || typeof value === 'boolean' ? `, not ${value}` : ''
}

const unitOf = (origin: string, count: number | bigint) => {
  const isOne = Number(count) === 1
  if (origin === 'string') return isOne ? ' character' : ' characters'
  return origin === 'array' ? (isOne ? ' entry' : ' entries') : ''
}
const nameOf = (type: string) =>
  ({
    int: 'a whole number',
    number: 'a number',
    boolean: 'true or false',
    string: 'text',
    array: 'a list',
    object: 'a section',
    record: 'a section',
  })[type] ?? type

function unknownKey(schema: z.ZodType, path: string[], key: string): string {
  const section = schemaAt(schema, path)
  const near = section && closest(key, Object.keys(shapeOf(section)))
  const places = near ? [near] : placesOf(schema, key)
  return places.length === 0 || places.length > 3
    ? 'is not a known key'
    : `is not a known key; did you mean ${places.join(' or ')}?`
}

/** The sections that have a key of this name: `pool.usesMax` for `usesMax`. */
function placesOf(schema: z.ZodType, key: string, prefix = ''): string[] {
  const inner = unwrapped(schema)
  if (inner instanceof z.ZodRecord) return placesOf(childOf(inner, '')!, key, `${prefix}NAME.`)
  return Object.entries(shapeOf(inner)).flatMap(([name, child]) => [
    ...(name === key ? [prefix + name] : []),
    ...placesOf(child, key, `${prefix}${name}.`),
  ])
}

function valueAt(input: unknown, path: string[]): unknown {
  let at = input
  for (const part of path)
    at =
      typeof at === 'object' && at !== null && Object.hasOwn(at, part)
        ? (at as Record<string, unknown>)[part]
        : undefined
  return at
}
