/** Requests to control: with the cookie of the session, and an answer that is parsed with its schema. */
import type { z } from 'zod'
import { linkBack, linkLost } from './link.ts'
import { Away, problemOf, Refusal } from './problem.ts'
import { sessionEnded } from './session.ts'

export interface ApiQuestion {
  /** Below /v1/. */
  path: string
  query?: Readonly<Record<string, string | number | undefined>>
  method?: 'GET' | 'POST' | 'DELETE'
  body?: unknown
  headers?: Readonly<Record<string, string>>
  signal?: AbortSignal | undefined
}

/** Throws a Refusal, or Away; when `signal` aborts, the error of fetch. */
export async function askControl<Schema extends z.ZodType>(
  question: ApiQuestion,
  schema: Schema,
): Promise<z.output<Schema>> {
  const response = await send(question)
  const parsed = schema.safeParse(await response.json().catch(() => undefined))
  if (parsed.success) return parsed.data
  throw new Away('This page and control have different versions: reload the page.')
}

/** For routes that answer without a body. */
export async function send(question: ApiQuestion): Promise<Response> {
  const { path, query = {}, method = 'GET', body, headers = {}, signal } = question
  const asked = Object.entries(query).filter(([, value]) => value !== undefined && value !== '')
  const search = new URLSearchParams(asked.map(([key, value]) => [key, String(value)])).toString()
  let response: Response
  try {
    response = await fetch(`/v1/${path}${search && '?'}${search}`, {
      method,
      signal: signal ?? null,
      // A page of another site cannot send this header without a preflight request. Control relies on that.
      headers: { accept: 'application/json', 'x-imapfleet-console': '1', ...jsonHeader(body), ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
  } catch (error) {
    if (signal?.aborted) throw error
    const away = new Away()
    linkLost(away.message)
    throw away
  }
  if (response.ok) {
    linkBack()
    return response
  }
  const problem = await problemOf(response)
  if (problem instanceof Away || problem.isOutage) linkLost(problem.message)
  else linkBack()
  if (problem instanceof Refusal && problem.details.status === 401) sessionEnded(problem)
  throw problem
}

const jsonHeader = (body: unknown) => (body === undefined ? {} : { 'content-type': 'application/json' })
