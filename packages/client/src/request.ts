/**
 * One HTTP request to control: the address from the path of a route, who asks, and an answer that is control's.
 * Everything else becomes a ProblemError or a NoAnswerError.
 */
import type { ProblemDetails } from '@imapfleet/api'
import { parseJson } from '@imapfleet/protocol'
import type { Parser, RouteShape } from './contract.ts'
import { networkError, NoAnswerError, ProblemError, type NoAnswerKind } from './errors.ts'

export interface RequestSettings {
  /** The address of control. It may have a path. */
  server: URL
  /** A token, or the cookie of a browser that has signed in to the console. */
  access: { token: string } | { cookie: true } | undefined
  problem: Parser
  fetch: typeof fetch
}

/** The parts of a request as the caller gives them, of any route. */
export interface AnyGiven {
  params?: object
  query?: object
  body?: unknown
}

const answerBytesMax = 64 * 1024 * 1024

/** Sends the request. The answer is a success of control, and its body is not read yet. */
export async function sendRequest(
  settings: RequestSettings,
  route: RouteShape,
  given: AnyGiven,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal | undefined,
): Promise<Response> {
  const { server, access, fetch } = settings
  const url = urlOf(server, route.path, given)
  let response: Response
  try {
    response = await fetch(url, {
      method: route.method,
      headers: { ...accessHeaders(access), ...jsonHeader(given.body), ...headers },
      // A redirect could send the token to another server.
      redirect: 'manual',
      ...(given.body === undefined ? {} : { body: JSON.stringify(given.body) }),
      ...(signal ? { signal } : {}),
    })
  } catch (error) {
    throw networkError(error, url.origin)
  }
  if (response.ok) return response
  if (response.type === 'opaqueredirect' || (response.status >= 300 && response.status < 400)) {
    await response.body?.cancel()
    const target = response.headers.get('location') ?? 'another address'
    throw new NoAnswerError('other-server', `it redirects to ${target}`, {
      message: `${url.origin} redirects to ${target}: use that server instead`,
    })
  }
  throw refusalIn(response, await textOf(response, url), url, settings)
}

/** The answer as a value; undefined if it is not JSON. */
export async function jsonOf(response: Response, url: URL): Promise<unknown> {
  return jsonIn(await textOf(response, url), url)
}

function jsonIn(text: string, url: URL): unknown {
  const data = parseJson(text)
  if (data === undefined) throw unexpectedAnswer('other-server', url, contentOf(text))
  return data
}

/** An answer of control that needs no request any more. */
export interface KnownAnswer {
  status: number
  text: string
}

/** The value of a success. Throws the refusal otherwise. */
export function jsonOfKnown({ status, text }: KnownAnswer, url: URL, settings: RequestSettings): unknown {
  if (status >= 400) throw refusalIn({ status }, text, url, settings)
  return jsonIn(text, url)
}

/** The path of the route below the address of control, with its parameters. */
export function urlOf(server: URL, path: string, given: AnyGiven): URL {
  const params = textsOf(given.params)
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => segmentOf(name, params.get(name), server))
  const url = new URL(server)
  url.pathname = server.pathname.replace(/\/$/, '') + filled
  url.search = ''
  for (const [key, value] of textsOf(given.query)) url.searchParams.set(key, value)
  return url
}

/** Throws for what cannot be a part of a path: with it, the address would be that of another route. */
function segmentOf(name: string, text: string | undefined, { origin }: URL): string {
  if (text !== undefined && !['', '.', '..'].includes(text)) return encodeURIComponent(text)
  throw new ProblemError(
    {
      ...{ type: 'about:blank', title: 'The request is not valid', status: 400, code: 'request_invalid' },
      detail: `${name} cannot be ${JSON.stringify(text ?? '')}: nothing has this name.`,
    },
    origin,
  )
}

/** Numbers, texts and booleans as they are written in an address. Undefined ones are left out. */
const textsOf = (parameters: object = {}) =>
  new Map(
    Object.entries(parameters as Readonly<Record<string, string | number | boolean | undefined>>).flatMap(
      ([name, value]) => (value === undefined ? [] : [[name, String(value)] as const]),
    ),
  )

export const unexpectedAnswer = (kind: NoAnswerKind, url: URL, found: string, isBrief = false) =>
  new NoAnswerError(kind, found, {
    message: `${url.origin} did not answer ${url.pathname} as imapfleet does (${found}): check the address and the version`,
    isBrief,
  })

function accessHeaders(access: RequestSettings['access']): Record<string, string> {
  if (access === undefined) return {}
  // A page of another site cannot send this header without a preflight request. Control relies on that.
  return 'token' in access ? { authorization: `Bearer ${access.token}` } : { 'x-imapfleet-console': '1' }
}

const jsonHeader = (body: unknown): Record<string, string> =>
  body === undefined ? {} : { 'content-type': 'application/json' }

/** The refusal in a text of control. Undefined: there is none. */
export function problemIn(
  text: string,
  { problem, server }: Pick<RequestSettings, 'problem' | 'server'>,
): ProblemError | undefined {
  const parsed = problem.safeParse(parseJson(text))
  return parsed.success ? new ProblemError(parsed.data as ProblemDetails, server.origin) : undefined
}

/** A proxy may have answered instead of control. It does so briefly while control restarts. */
function refusalIn(
  { status }: Pick<Response, 'status'>,
  text: string,
  url: URL,
  settings: RequestSettings,
): ProblemError | NoAnswerError {
  const problem = problemIn(text, settings)
  if (problem) return problem
  return unexpectedAnswer('other-server', url, `status ${status} with ${contentOf(text)}`, status >= 502)
}

async function textOf(response: Response, url: URL): Promise<string> {
  const decoder = new TextDecoder()
  const reader = response.body?.getReader()
  let text = ''
  let bytes = 0
  try {
    for (;;) {
      const chunk = await reader?.read()
      if (chunk?.value === undefined) return text + decoder.decode()
      bytes += chunk.value.length
      if (bytes > answerBytesMax) break
      text += decoder.decode(chunk.value, { stream: true })
    }
  } catch (error) {
    throw networkError(error, url.origin)
  }
  await reader?.cancel()
  throw unexpectedAnswer('other-server', url, `an answer larger than ${answerBytesMax} bytes`)
}

function contentOf(text: string): string {
  if (text.trim() === '') return 'nothing'
  if (/^\s*</.test(text)) return 'a web page'
  return parseJson(text) === undefined ? 'no JSON' : 'other JSON'
}
