/**
 * Calls of control's API by the names in the table of routes: `client.call('readEdge', { params: { id } })`. Requests
 * that control carries out once at most are repeated after brief failures; streams reconnect. It runs in Node and in
 * browsers.
 */
import { parseJson } from '@imapfleet/protocol'
import { Backoff, retry, type BackoffOptions } from '@imapfleet/retry'
import type {
  RouteAnswer,
  CallName,
  Contract,
  GivenArgument,
  StreamLine,
  LinesName,
  Parser,
  RequestOptions,
  RouteShape,
  RouteTable,
  StreamName,
  StreamUpdate,
} from './contract.ts'
import { isTransient, NoAnswerError, ProblemError } from './errors.ts'
import { newId } from './new-id.ts'
import { readEvents, readLines } from './read-stream.ts'
import {
  jsonOf,
  jsonOfKnown,
  problemIn,
  sendRequest,
  unexpectedAnswer,
  urlOf,
  type AnyGiven,
  type KnownAnswer,
  type RequestSettings,
} from './request.ts'

export interface ClientOptions {
  server: URL
  /** Of an API token. */
  token?: string
  /** For the console: the browser sends the cookie of the session. */
  cookie?: true
  fetch?: typeof fetch
  /** Time limit of requests for reading that have none of their own. */
  readTimeoutMs?: number
  /** An answer to a request for reading that the caller has already. It is not asked for again. */
  known?: (url: URL) => KnownAnswer | undefined
}

interface StreamOptions {
  /** The connection is dead if nothing arrives for this long. Control sends a comment every 15 s. */
  silenceMs?: number
  /** Between two attempts to connect. */
  pauses?: BackoffOptions
}

type AnyOptions = AnyGiven & RequestOptions & StreamOptions

const answerTimeoutMs = 30_000
const attemptsMax = 3
const retryPauses = { firstMs: 200, lastMs: 1_000 }
const reconnectPauses = { firstMs: 500, lastMs: 5_000 }
const silenceMaxMs = 40_000

/** A client of any server that answers as the contract says. */
export function clientOf<const T extends RouteTable>(contract: Contract<T>, options: ClientOptions) {
  const table: Readonly<Record<keyof T, RouteShape>> = contract.routes
  const { server, token, cookie, fetch: fetchGiven = fetch, known } = options
  const { readTimeoutMs = answerTimeoutMs } = options
  const settings: RequestSettings = {
    server,
    access: token === undefined ? cookie && { cookie } : { token },
    problem: contract.problem,
    // In a browser, fetch works only as a function of the window.
    fetch: (input, init) => fetchGiven(input, init),
  }
  return { server, call, stream, lines }

  /** Sends a request, and parses the answer. Throws a ProblemError or a NoAnswerError. */
  async function call<Name extends CallName<T>>(
    name: Name,
    ...[given]: GivenArgument<T[Name]>
  ): Promise<RouteAnswer<T[Name]>> {
    const answer = await ask(table[name], given ?? {})
    return answer as RouteAnswer<T[Name]>
  }

  async function ask(route: RouteShape, given: AnyOptions): Promise<unknown> {
    const isWrite = route.method !== 'GET'
    const headers = {
      accept: 'application/json',
      ...(isWrite && { 'idempotency-key': given.idempotencyKey ?? newId() }),
    }
    return await retry(() => askOnce(route, given, headers), {
      ...retryPauses,
      attemptsMax: route.secret ? 1 : attemptsMax,
      isPassing: mayRepeat,
      signal: given.signal,
    })
  }

  async function askOnce(route: RouteShape, given: AnyOptions, headers: Record<string, string>) {
    const url = urlOf(server, route.path, given)
    const answered = route.method === 'GET' && route.answer ? known?.(url) : undefined
    if (route.answer && answered) return parsedAnswer(route.answer, jsonOfKnown(answered, url, settings), url)
    const usualMs = route.method === 'GET' ? readTimeoutMs : answerTimeoutMs
    const timeout = AbortSignal.timeout(given.timeoutMs ?? usualMs)
    const signal = given.signal ? AbortSignal.any([given.signal, timeout]) : timeout
    try {
      const response = await sendRequest(settings, route, given, headers, signal)
      if (route.answer) return parsedAnswer(route.answer, await jsonOf(response, url), url)
      await response.body?.cancel()
      return undefined
    } catch (error) {
      // The caller ended the request; the server is not at fault.
      given.signal?.throwIfAborted()
      throw error
    }
  }

  /** Lines as they arrive, until the signal is aborted. The request is not repeated: the caller has used a part of it. */
  async function* lines<Name extends LinesName<T>>(
    name: Name,
    ...[given]: GivenArgument<T[Name]>
  ): AsyncGenerator<StreamLine<T[Name]>, void, undefined> {
    const route = table[name]
    const body = await open(route, given ?? {}, route.text ?? 'text/plain')
    try {
      for await (const line of readLines(body)) {
        if (isClosing(line)) throw closedBy(line)
        yield parsedPart(route.line, line, 'line') as StreamLine<T[Name]>
      }
    } catch (error) {
      if (!given?.signal?.aborted) throw error
    }
  }

  async function open(
    route: RouteShape,
    given: AnyOptions,
    type: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<ReadableStream<Uint8Array>> {
    try {
      const response = await sendRequest(settings, route, given, { accept: type, ...headers }, given.signal)
      const found = response.headers.get('content-type') ?? 'nothing'
      if (response.body && found.startsWith(type)) return response.body
      await response.body?.cancel()
      const url = urlOf(server, route.path, given)
      throw unexpectedAnswer('other-server', url, `expected ${type}, got ${found}`)
    } catch (error) {
      given.signal?.throwIfAborted()
      throw error
    }
  }

  /**
   * The events of a route, and the times when its connection opens or is lost. The stream reconnects after the last event that it
   * received, and ends after the event `end` or when the signal is aborted. It throws if control refuses it permanently, also in the
   * middle, for example because the token was revoked, and if an event does not match its schema. Events that the table does not
   * name are skipped.
   */
  async function* stream<Name extends StreamName<T>>(
    name: Name,
    ...[given]: GivenArgument<T[Name], StreamOptions>
  ): AsyncGenerator<StreamUpdate<T[Name]>, void, undefined> {
    for await (const update of follow(table[name], given ?? {})) yield update as StreamUpdate<T[Name]>
  }

  async function* follow(route: RouteShape, given: AnyOptions) {
    const { signal, silenceMs = silenceMaxMs, pauses = reconnectPauses } = given
    const backoff = new Backoff(pauses)
    let last: string | undefined
    while (!signal?.aborted) {
      let error = new NoAnswerError('network', 'the server closed the stream', {
        message: 'the server closed the stream',
      }) as Error
      try {
        const resume = last === undefined ? {} : { 'last-event-id': last }
        const body = await open(route, given, 'text/event-stream', resume)
        yield { kind: 'open' }
        for await (const { event = 'message', data, id } of readEvents(body, silenceMs)) {
          backoff.reset()
          last = id ?? last
          if (event === 'closed') throw closedBy(data)
          const schema = Object.hasOwn(route.events ?? {}, event) ? route.events?.[event] : undefined
          if (schema) yield { kind: 'event', name: event, data: parsedPart(schema, data, 'event') }
          if (event === 'end') return
        }
      } catch (failure) {
        if (signal?.aborted) return
        if (!isTransient(failure)) throw failure
        error = failure as Error
      }
      if (signal?.aborted) return
      yield { kind: 'lost', error }
      await backoff.pause(signal)
    }
  }

  /** Why control ended a stream: a refusal that it could not answer with, because it had answered already. */
  function closedBy(data: string): Error {
    return (
      problemIn(data, settings) ??
      new NoAnswerError('network', 'the server closed the stream', {
        message: 'the server closed the stream',
      })
    )
  }
}

/** Nothing was lost, or control has the key of the request and will not carry it out again. */
const mayRepeat = (error: unknown) =>
  (error instanceof NoAnswerError && error.isBrief) ||
  // The first attempt is still being carried out.
  (error instanceof ProblemError && error.code === 'idempotency_unknown')

function parsedAnswer(schema: Parser, data: unknown, url: URL): unknown {
  const parsed = schema.safeParse(data)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  const place = issue?.path.join('.') || 'the answer'
  throw unexpectedAnswer('other-version', url, `${place}: ${issue?.message ?? 'cannot be parsed'}`)
}

/** A line by which control says why it ends an answer before it is complete. */
const isClosing = (line: string): boolean => line.startsWith('{"kind":"closed",')

/** A part of an answer that was already used up to here. */
function parsedPart(schema: Parser | undefined, data: string, what: 'event' | 'line'): unknown {
  const parsed = schema?.safeParse(parseJson(data))
  if (parsed?.success) return parsed.data
  const message = `the server sent ${what === 'event' ? 'an event' : 'a line'} that this program cannot parse: check that both have the same version`
  throw new NoAnswerError('other-version', message, { message })
}
