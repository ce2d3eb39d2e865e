/** Parses a stream of Server-Sent Events, with limits on size and silence. */
import { createParser, type EventSourceMessage } from 'eventsource-parser'
import { parseJson } from '@imapfleet/protocol'
import type { z } from 'zod'
import { Failure } from './failure.ts'

export type ServerEvent = EventSourceMessage

const eventCharactersMax = 1_048_576
/** The server sends comments to keep the connection alive. Without any for this long, the connection is dead. */
const silenceMaxMs = 60_000

/** Events until the stream ends. An interrupted or silent stream is a Failure of kind `unreachable`. */
export async function* readEvents(
  stream: ReadableStream<Uint8Array>,
  silenceMs = silenceMaxMs,
): AsyncGenerator<ServerEvent> {
  const ready: ServerEvent[] = []
  let broken: string | undefined
  const parser = createParser({
    maxBufferSize: eventCharactersMax,
    onEvent: (event) => ready.push(event),
    onError: ({ type }) => {
      if (type === 'max-buffer-size-exceeded') broken = 'the server sent an event that is too large'
    },
  })
  const decoder = new TextDecoder()
  const reader = stream.getReader()
  try {
    for (;;) {
      const chunk = await within(reader.read(), silenceMs)
      if (chunk === 'silent') throw lost(`the server sent nothing for ${silenceMs / 1000} s`)
      if (chunk.done) return
      parser.feed(decoder.decode(chunk.value, { stream: true }))
      yield* ready.splice(0)
      if (broken !== undefined) throw lost(broken)
    }
  } catch (error) {
    throw error instanceof Failure ? error : lost('the connection broke')
  } finally {
    // Releases the connection however the iteration ended.
    await reader.cancel().catch(() => undefined)
  }
}

/** The data of an event. Data that does not match the schema is a Failure of kind `refused`. */
export function parseEvent<S extends z.ZodType>({ data }: ServerEvent, schema: S): z.infer<S> {
  const parsed = schema.safeParse(parseJson(data))
  if (parsed.success) return parsed.data
  throw new Failure(
    'refused',
    'the server sent an event that this command cannot parse: check that both have the same version',
  )
}

const lost = (reason: string) => new Failure('unreachable', reason)

async function within<T>(promise: Promise<T>, ms: number): Promise<T | 'silent'> {
  const { promise: silence, resolve } = Promise.withResolvers<'silent'>()
  const timer = setTimeout(resolve, ms, 'silent')
  try {
    return await Promise.race([promise, silence])
  } finally {
    clearTimeout(timer)
  }
}
