/**
 * Parses a request by the schemas of its route, and refuses ambiguous requests: unknown or repeated parameters, unknown
 * keys, text that is not Unicode, JSON that parsers read in different ways. Handlers get only what was parsed here.
 */
import { wordsOfIssue, type Problem } from '@imapfleet/config'
import type { Route } from '@imapfleet/api'
import type { Context } from 'hono'
import type { z } from 'zod'
import { ServiceError } from '../errors.ts'
import type { Env } from './handlers.ts'
import { parseJsonText } from './json-text.ts'
import { unknownKey, unknownKeys } from './unknown-keys.ts'

export async function readRequest(context: Context<Env>, route: Route): Promise<Record<string, unknown>> {
  const { req } = context
  const [path = '', query = ''] = req.url.split('#', 1)[0]!.split(/\?(.*)/s)
  decoded(path)
  const parameters = queryOf(query, Object.keys(route.query?.shape ?? {}))
  const headers = Object.keys(route.headers?.shape ?? {}).map((name) => [name, req.header(name)])
  return {
    ...(route.params && { params: parse(route.params, req.param()) }),
    ...(route.query && { query: parse(route.query, parameters) }),
    ...(route.headers && { headers: parse(route.headers, Object.fromEntries(headers)) }),
    ...(await bodyOf(context, route)),
  }
}

/** The body of a request as text. It can be called again. */
export async function bodyText({ req }: Context): Promise<string> {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await req.arrayBuffer())
  } catch (error) {
    if (error instanceof TypeError) throw refusal('The body is not UTF-8.')
    throw error
  }
}

async function bodyOf(context: Context, { body }: Route): Promise<{ body?: unknown }> {
  const text = await bodyText(context)
  if (body === undefined) {
    if (text !== '') throw refusal('This route takes no body.')
    return {}
  }
  if (!jsonType.test(context.req.header('content-type') ?? ''))
    throw refusal('Send the body as JSON, with content-type: application/json.')
  return { body: parse(body, jsonOf(text)) }
}

const jsonType = /^application\/json *(?:; *charset="?utf-8"? *)?$/i

function jsonOf(text: string): unknown {
  try {
    return parseJsonText(text)
  } catch (error) {
    if (error instanceof SyntaxError) throw refusal(error.message)
    throw error
  }
}

/** Parameters by name. */
function queryOf(query: string, known: readonly string[]): Record<string, string> {
  const pairs = query.split('&').filter((pair) => pair !== '')
  const found = new Map<string, string>()
  const problems: Problem[] = []
  for (const pair of pairs) {
    const [name = '', value = ''] = pair.split(/=(.*)/s).map((part) => decoded(part.replaceAll('+', ' ')))
    if (!known.includes(name)) problems.push(unknownKey([name], known))
    else if (found.has(name)) problems.push({ key: name, message: 'is given more than once' })
    found.set(name, value)
  }
  if (problems.length > 0) throw invalid(problems)
  return Object.fromEntries(found)
}

/** Percent-encoded UTF-8, without NUL. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw refusal(`The address is not valid percent-encoded UTF-8: ${text.slice(0, 200)}.`)
  }
}

/** What configuration files call a section is an object here. */
function wordsOfJsonIssue(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code !== 'invalid_type' || issue.expected !== 'object') return wordsOfIssue(issue)
  return issue.input === undefined ? 'is missing; it must be a JSON object' : 'must be a JSON object'
}

function parse(schema: z.ZodType, given: unknown): unknown {
  const texts = textProblems(given)
  if (texts.length > 0) throw invalid(texts)
  const parsed = schema.safeParse(given, { error: wordsOfJsonIssue })
  if (!parsed.success)
    throw invalid(
      parsed.error.issues.map(({ path, message }) => ({ key: path.join('.').slice(0, 200), message })),
    )
  const unknown = unknownKeys(schema, given)
  if (unknown.length > 0) throw invalid(unknown)
  return parsed.data
}

/** Texts and keys that Postgres cannot store, and that no name has. */
function textProblems(value: unknown, path: string[] = []): Problem[] {
  if (typeof value === 'string') return isText(value) ? [] : [badText(path)]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, item]) =>
    isText(key) ? textProblems(item, [...path, key]) : [badText(path)],
  )
}

const isText = (text: string): boolean => !text.includes('\0') && text.isWellFormed()

const badText = (path: readonly string[]): Problem => ({
  key: path.join('.').slice(0, 200),
  message: 'contains a NUL or is not Unicode',
})

const problemsMax = 50

function invalid(problems: readonly Problem[]): ServiceError {
  const [first] = problems
  const sentence = `${first?.key ?? ''}: ${first?.message ?? ''}`.replace(/^: /, '')
  return new ServiceError('request_invalid', sentence, { problems: problems.slice(0, problemsMax) })
}

const refusal = (sentence: string) => new ServiceError('request_invalid', sentence)
