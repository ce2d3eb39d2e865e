/**
 * A stream of events from control, resumed after interruptions. Not the browser's EventSource, which gives up if a
 * proxy answers instead of control, does not report why it was refused, and does not notice a silent connection.
 */
import { createParser, type EventSourceMessage } from 'eventsource-parser'
import { send } from './ask.ts'
import { Refusal } from './problem.ts'

interface Follower {
  onEvent: (event: EventSourceMessage) => void
  onLive: () => void
  onLost: () => void
}

const retryMs = 1_000
/** Control sends a comment every 15 s. */
const silenceMaxMs = 40_000
const eventCharactersMax = 1_048_576

/** Resolves after the event `end`, or when `signal` aborts. Throws a Refusal that a retry would not change. */
export async function followEvents(path: string, follower: Follower, signal: AbortSignal): Promise<void> {
  let last: string | undefined
  while (!signal.aborted) {
    try {
      const headers = { accept: 'text/event-stream', ...(last !== undefined && { 'last-event-id': last }) }
      const { body } = await send({ path, headers, signal })
      follower.onLive()
      for await (const event of eventsOf(body)) {
        last = event.id ?? last
        follower.onEvent(event)
        if (event.event === 'end') return
      }
    } catch (error) {
      if (signal.aborted) return
      if (error instanceof Refusal && !error.isPassing) throw error
    }
    follower.onLost()
    await pause(retryMs, signal)
  }
}

/** Until the stream ends, or is silent for too long. */
async function* eventsOf(stream: Response['body']): AsyncGenerator<EventSourceMessage> {
  if (!stream) return
  const ready: EventSourceMessage[] = []
  const parser = createParser({ maxBufferSize: eventCharactersMax, onEvent: (event) => ready.push(event) })
  const decoder = new TextDecoder()
  const reader = stream.getReader()
  try {
    for (;;) {
      const silence = setTimeout(() => void reader.cancel(), silenceMaxMs)
      const { done, value } = await reader.read().finally(() => clearTimeout(silence))
      if (done) return
      parser.feed(decoder.decode(value, { stream: true }))
      yield* ready.splice(0)
    }
  } finally {
    // Releases the connection however the iteration ended.
    await reader.cancel().catch(() => undefined)
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, ms)
  signal.addEventListener('abort', () => resolve(), { once: true })
  await promise
  clearTimeout(timer)
}
