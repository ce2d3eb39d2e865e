/**
 * A stream of control's events, for as long as somebody looks. After an interruption it is begun again where it was left.
 * Not the browser's EventSource: that gives up for good when something in front of control answers in its place, says
 * not why it was refused, and takes a connection that is silent for alive.
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
/** Control says that it is there every 15 s. */
const silenceMaxMs = 40_000
const eventCharactersMax = 1_048_576

/** Resolves after the event `end`, or when `signal` aborts. Throws the Refusal of control that asking again would not change. */
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

/** Until the stream ends, or has been silent for too long. */
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
    // Lets go of the connection, whichever way the reading ended.
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
