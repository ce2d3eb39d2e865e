/** The only place that turns a refusal into a status with a problem+json body, and a bug into a log line. */
import type { ProblemDetails } from '@imapfleet/api'
import type { ErrorHandler } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { reasonOf, type Log } from '@imapfleet/observe'
import { errorCodes, ServiceError, type ErrorCode } from '../errors.ts'
import type { Env } from './handlers.ts'

/** The refusal that answers an error of this request. A bug is logged. */
export type Explain = (error: unknown, request: { method: string; path: string }) => Promise<ServiceError>

/** `translate` knows the errors of the database and the bus. */
export function explainer(
  log: Log,
  translate: (error: unknown) => Promise<ServiceError | undefined>,
): Explain {
  return async (error, { method, path }) =>
    refusalOf(error) ?? (await translate(error)) ?? bug(error, method, path)

  function bug(error: unknown, method: string, path: string): ServiceError {
    const place =
      error instanceof Error ? error.stack?.split('\n').find((line) => line.includes('    at ')) : undefined
    log.error('a request failed', { method, path, reason: reasonOf(error), place: place?.trim() })
    return new ServiceError('internal', 'This is a bug in control: its log has the details.')
  }
}

export function onError(explain: Explain): ErrorHandler<Env> {
  return async (error, context) => {
    const response = problemResponse(await explain(error, context.req))
    if (response.status === 401) response.headers.set('www-authenticate', 'Bearer')
    const retryAfter = { 429: '60', 503: '2' }[response.status]
    if (retryAfter !== undefined) response.headers.set('retry-after', retryAfter)
    return response
  }
}

/** A refusal as RFC 9457 has it. */
export function problemOf({ code, message, problems, newest }: ServiceError): ProblemDetails {
  const { status, title } = errorCodes[code]
  return {
    type: `urn:imapfleet:problem:${code}`,
    title,
    status,
    detail: message,
    code,
    ...(problems ? { problems } : {}),
    ...(newest === undefined ? {} : { newest }),
  }
}

export function problemResponse(refusal: ServiceError): Response {
  const problem = problemOf(refusal)
  return new Response(JSON.stringify(problem), {
    status: problem.status,
    headers: { 'content-type': 'application/problem+json' },
  })
}

/** Refusals of hono itself. */
const byStatus: Record<number, readonly [ErrorCode, string]> = {
  400: ['request_invalid', 'The body is not valid JSON.'],
  413: ['request_too_large', 'A request may have at most 1 MiB.'],
  415: ['request_invalid', 'Send the body as JSON, with content-type: application/json.'],
  504: ['request_timeout', 'Ask for less data, or try again later.'],
}

function refusalOf(error: unknown): ServiceError | undefined {
  if (error instanceof ServiceError) return error
  if (!(error instanceof HTTPException)) return undefined
  const refusal = byStatus[error.status]
  return refusal && new ServiceError(...refusal)
}
