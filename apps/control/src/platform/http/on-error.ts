/** The only place that turns a refusal into a status with a problem+json body, and a bug into a log line. */
import type { ErrorHandler } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { reasonOf, type Log } from '@imapfleet/observe'
import { errorCodes, ServiceError, type ErrorCode } from '../errors.ts'
import type { Env } from './handlers.ts'

/** `translate` knows the errors of the database and the bus. */
export function onError(
  log: Log,
  translate: (error: unknown) => Promise<ServiceError | undefined>,
): ErrorHandler<Env> {
  return async (error, context) => {
    const refusal =
      refusalOf(error) ?? (await translate(error)) ?? bug(error, context.req.method, context.req.path)
    const response = problemResponse(refusal)
    if (response.status === 401) response.headers.set('www-authenticate', 'Bearer')
    // The rest of the body is not read.
    if (response.status === 413) response.headers.set('connection', 'close')
    const retryAfter = { 429: '60', 503: '2' }[response.status]
    if (retryAfter !== undefined) response.headers.set('retry-after', retryAfter)
    return response
  }

  function bug(error: unknown, method: string, path: string): ServiceError {
    const place =
      error instanceof Error ? error.stack?.split('\n').find((line) => line.includes('    at ')) : undefined
    log.error('a request failed', { method, path, reason: reasonOf(error), place: place?.trim() })
    return new ServiceError('internal', 'This is a bug in control: its log has the details.')
  }
}

export function problemResponse({ code, message, problems, newest }: ServiceError): Response {
  const { status, title } = errorCodes[code]
  const body = {
    type: `urn:imapfleet:problem:${code}`,
    title,
    status,
    detail: message,
    code,
    ...(problems ? { problems } : {}),
    ...(newest === undefined ? {} : { newest }),
  }
  return new Response(JSON.stringify(body), {
    status,
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
