/**
 * Answers that stay open: Server-Sent Events, and lines of JSON. If control ends one, the last thing in it says why.
 * A client that does not read is disconnected.
 */
import type { HttpBindings } from '@hono/node-server'
import type { Context } from 'hono'
import { stream as openBody } from 'hono/streaming'
import type { ProblemDetails } from '@imapfleet/api'
import type { ServiceError } from '../errors.ts'
import { JsonText } from './handlers.ts'
import { problemOf, type Explain } from './on-error.ts'
import type { OpenStream } from './open-streams.ts'

interface Form<Item> {
  type: string
  first: string
  text: (item: Item) => string
  /** Keeps the connection alive, and shows that the client has left. Undefined: nothing can be written in between. */
  alive: string | undefined
  /** The last words: why control ends the answer. */
  closed: (problem: ProblemDetails) => string
}

export const eventsType = 'text/event-stream'

const keepAliveMs = 15_000
/** How long a client may take to read what was written. */
const stalledMaxMs = 60_000
/** How long the last words of a stream may take. */
const lastWordsMs = 1_000

export interface StreamEvent {
  event: string
  data: unknown
  /** From where a client can continue with `Last-Event-ID`. */
  id?: string
}

/** Sends all events as they come. */
export function eventStream(
  context: Context,
  stream: OpenStream,
  explain: Explain,
  events: AsyncIterable<StreamEvent>,
): Response {
  // Prevents buffering by proxies.
  context.header('x-accel-buffering', 'no')
  return answerOpenly(context, stream, explain, eventForm, events)
}

/** Sends all lines as they come, each as one JSON object. `type`: the content type. */
export function lineStream(
  context: Context,
  stream: OpenStream,
  explain: Explain,
  type: string,
  lines: AsyncIterable<object>,
): Response {
  return answerOpenly(context, stream, explain, lineForm(type), lines)
}

const eventText = ({ event, data, id }: StreamEvent): string =>
  `event: ${event}\ndata: ${data instanceof JsonText ? data.text : JSON.stringify(data)}\n${id === undefined ? '' : `id: ${id}\n`}\n`

const lineText = (line: object): string => `${JSON.stringify(line)}\n`

const eventForm: Form<StreamEvent> = {
  type: eventsType,
  first: ': listening\n\n',
  text: eventText,
  alive: ': alive\n\n',
  closed: (problem) => eventText({ event: 'closed', data: problem }),
}

const lineForm = (type: string): Form<object> => ({
  type,
  first: '',
  text: lineText,
  alive: undefined,
  closed: (problem) => lineText({ kind: 'closed', ...problem }),
})

function answerOpenly<Item>(
  context: Context,
  stream: OpenStream,
  explain: Explain,
  { type, first, text: textOf, alive, closed }: Form<Item>,
  items: AsyncIterable<Item>,
): Response {
  context.header('content-type', type)
  return openBody(context, async (body) => {
    let waitingSince: number | undefined
    const write = async (text: string) => {
      waitingSince ??= performance.now()
      await body.write(text)
      waitingSince = undefined
    }
    body.onAbort(() => stream.close())
    const pulse = setInterval(() => {
      if (waitingSince === undefined) void (alive !== undefined && body.write(alive))
      else if (performance.now() - waitingSince > stalledMaxMs) disconnect(context, stream)
    }, keepAliveMs)
    const over = new Promise<void>((resolve) => {
      if (stream.signal.aborted) resolve()
      else stream.signal.addEventListener('abort', () => resolve(), { once: true })
    })
    let failure: ServiceError | undefined
    const all = async () => {
      if (first !== '') await write(first)
      for await (const item of items) {
        if (stream.signal.aborted) return
        await write(textOf(item))
      }
    }
    // Not only `all`: it may wait for a client that does not read.
    await Promise.race([
      over,
      all().catch(async (error: unknown) => {
        if (!stream.signal.aborted) failure = await explain(error, context.req)
      }),
    ])
    clearInterval(pulse)
    const refusal = stream.ending ?? failure
    stream.close()
    if (!refusal) return
    const lastWords = body.write(closed(problemOf(refusal)))
    const timer = setTimeout(() => disconnect(context, stream), lastWordsMs)
    await lastWords
    clearTimeout(timer)
  })
}

/** Closes the connection, with everything that the client has not read yet. */
function disconnect(context: Context, stream: OpenStream): void {
  stream.close()
  const { outgoing } = (context.env ?? {}) as Partial<HttpBindings>
  outgoing?.destroy()
}
