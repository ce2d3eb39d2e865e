/** What is wrong with a configuration, one key each, in words that say what to do. */
import type { z } from 'zod'

export interface Problem {
  /** Dotted key, such as `pool.idleTimeoutMs`; empty for the document as a whole. */
  key: string
  message: string
  /** Line in the file, from 1, where known. */
  line?: number
}

/** Every issue of a failed parse as a problem. `input` is what was parsed, to show the refused value. */
export function problemsOf(error: z.ZodError, input: unknown): Problem[] {
  return error.issues.flatMap((issue) => {
    const path = issue.path.map(String)
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map((key) => ({ key: [...path, key].join('.'), message: 'is not a known key' }))
    return [{ key: path.join('.'), message: sentence(issue, valueAt(input, path)) }]
  })
}

export function printProblem(problem: Problem, file?: string): string {
  const place = [file, problem.line].filter((part) => part !== undefined).join(':')
  return [place, problem.key, problem.message]
    .filter((part) => part !== '')
    .join(problem.key ? ' ' : ': ')
    .replace(/^(\S+:\d+) /, '$1: ')
}

function sentence(issue: z.core.$ZodIssue, value: unknown): string {
  const got =
    value === undefined || typeof value === 'object' ? '' : `, not ${JSON.stringify(value).slice(0, 80)}`
  switch (issue.code) {
    case 'too_small':
      return `must be at least ${issue.minimum}${unitOf(issue.origin)}${got}`
    case 'too_big':
      return `must be at most ${issue.maximum}${unitOf(issue.origin)}${got}`
    case 'invalid_type':
      return `must be ${article(issue.expected)}${got}`
    case 'invalid_value':
      return `must be one of ${issue.values.map(String).join(', ')}${got}`
    case 'invalid_key':
      return `has a name that is not allowed: ${issue.issues[0]?.message ?? ''}`
    default:
      return `${issue.message}${got}`
  }
}

const unitOf = (origin: string) =>
  origin === 'string' ? ' characters' : origin === 'array' ? ' entries' : ''
const article = (type: string) =>
  ({
    int: 'a whole number',
    number: 'a number',
    boolean: 'true or false',
    string: 'text',
    array: 'a list',
    object: 'a section',
    record: 'a section',
  })[type] ?? type

function valueAt(input: unknown, path: string[]): unknown {
  let at = input
  for (const part of path)
    at = typeof at === 'object' && at !== null ? (at as Record<string, unknown>)[part] : undefined
  return at
}
