/**
 * One HTTP request and its answer. An unreachable server, an unexpected answer and a refusal each become a Failure
 * with one sentence. Only api.ts and call.ts use it.
 */
import { problemDetailsSchema } from '@imapfleet/api'
import { parseJson } from '@imapfleet/protocol'
import type { z } from 'zod'
import { Failure } from './failure.ts'
import { unreachableReason } from './unreachable.ts'

export interface Question {
  method?: 'GET' | 'POST' | 'DELETE' | 'PUT' | 'PATCH'
  url: URL
  token?: string
  body?: unknown
  headers?: Record<string, string>
  /** Ends the request. The caller knows the reason. */
  signal?: AbortSignal
}

const answerTimeoutMs = 30_000
const answerBytesMax = 64 * 1024 * 1024

/** Sends a request, and parses the answer with its schema. */
export async function ask<S extends z.ZodType>(question: Question, schema: S): Promise<z.infer<S>> {
  const timeout = AbortSignal.timeout(answerTimeoutMs)
  const signal = question.signal ? AbortSignal.any([question.signal, timeout]) : timeout
  const response = await send(question, signal)
  const text = await bodyOf(response, question, signal)
  if (!response.ok) throw refusal(question, response.status, text)
  const data = parseJson(text)
  if (data === undefined) throw unexpectedAnswer(question, foundIn(text))
  const parsed = schema.safeParse(data)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  const place = issue?.path.join('.') || 'the answer'
  throw unexpectedAnswer(question, `${place}: ${issue?.message ?? 'cannot be parsed'}`)
}

/** Requests a stream of this type. The caller reads its body. */
export async function askStream(question: Question, wanted: string): Promise<ReadableStream<Uint8Array>> {
  const headers = { ...question.headers, accept: wanted }
  const response = await send({ ...question, headers }, question.signal)
  if (!response.ok)
    throw refusal(question, response.status, await bodyOf(response, question, question.signal))
  const type = response.headers.get('content-type') ?? 'nothing'
  if (response.body && type.startsWith(wanted)) return response.body
  await response.body?.cancel()
  throw unexpectedAnswer(question, `expected ${wanted}, got ${type}`)
}

async function send(question: Question, signal: AbortSignal | undefined): Promise<Response> {
  const { method = 'GET', url, token, body } = question
  const headers: Record<string, string> = { accept: 'application/json', ...question.headers }
  if (token !== undefined) headers['authorization'] = `Bearer ${token}`
  if (body !== undefined) headers['content-type'] = 'application/json'
  let response: Response
  try {
    response = await fetch(url, {
      method,
      headers,
      // A redirect could send the token to another server.
      redirect: 'manual',
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal ? { signal } : {}),
    })
  } catch (error) {
    throw unreachable(question, error)
  }
  if (response.status < 300 || response.status >= 400) return response
  await response.body?.cancel()
  const target = response.headers.get('location') ?? 'nowhere'
  throw new Failure('unreachable', `${url.origin} redirects to ${target}; use that server with --server`)
}

async function bodyOf(response: Response, question: Question, signal?: AbortSignal): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  let bytes = 0
  try {
    for await (const chunk of response.body ?? []) {
      signal?.throwIfAborted()
      bytes += chunk.length
      if (bytes > answerBytesMax)
        throw unexpectedAnswer(question, `an answer larger than ${answerBytesMax} bytes`)
      text += decoder.decode(chunk, { stream: true })
    }
  } catch (error) {
    throw error instanceof Failure ? error : unreachable(question, error)
  }
  return text + decoder.decode()
}

const foundIn = (text: string) =>
  text.trim() === ''
    ? 'nothing'
    : /^\s*</.test(text)
      ? 'a web page'
      : parseJson(text)
        ? 'other JSON'
        : 'no JSON'

/** The sentence of the server, if it answers with problem+json, and what to do about a token. */
function refusal(question: Question, status: number, text: string): Failure {
  const problem = problemDetailsSchema.safeParse(parseJson(text))
  if (!problem.success) return unexpectedAnswer(question, `status ${status} with ${foundIn(text)}`)
  if (status === 401)
    return new Failure(
      'refused',
      `${question.url.origin} does not accept this token: make one on the control plane's host with ` +
        '`imapfleet-control token create --name NAME --role operator`, then run `imapfleet login`',
      status,
    )
  const { title, detail, problems = [] } = problem.data
  const keys = problems.map(({ key, message }) => (key === '' ? message : `${key} ${message}`))
  const sentence = keys.length > 0 ? `${title}: ${keys.join('; ')}` : (detail ?? title)
  return new Failure('refused', sentence, status)
}

const unexpectedAnswer = ({ url }: Question, found: string) =>
  new Failure(
    'unreachable',
    `${url.origin} did not answer ${url.pathname} as imapfleet does (${found}): check the address and the version`,
  )

function unreachable(question: Question, error: unknown): Failure {
  // The caller ended the request; the server is not at fault.
  if (question.signal?.aborted) throw question.signal.reason
  return new Failure('unreachable', `cannot reach ${question.url.origin}: ${unreachableReason(error)}`)
}
