/** Reads streams of Server-Sent Events and of lines, with limits on size and silence. */
import { createParser, type EventSourceMessage } from 'eventsource-parser'
import { NoAnswerError } from './errors.ts'

const eventCharactersMax = 1_048_576

/**
 * Events until the stream ends. A stream that breaks, sends nothing for `silenceMs` or sends an endless event throws a
 * NoAnswerError, and its connection is released.
 */
export async function* readEvents(
  stream: ReadableStream<Uint8Array>,
  silenceMs: number,
): AsyncGenerator<EventSourceMessage> {
  const ready: EventSourceMessage[] = []
  let isTooLarge = false
  const parser = createParser({
    maxBufferSize: eventCharactersMax,
    onEvent: (event) => ready.push(event),
    onError: ({ type }) => {
      isTooLarge ||= type === 'max-buffer-size-exceeded'
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
      if (isTooLarge) throw lost('the server sent an event that is too large')
    }
  } catch (error) {
    throw error instanceof NoAnswerError ? error : lost('the connection broke')
  } finally {
    await reader.cancel().catch(() => undefined)
  }
}

const lost = (reason: string) => new NoAnswerError('network', reason, { message: reason })

async function within<T>(promise: Promise<T>, ms: number): Promise<T | 'silent'> {
  const { promise: silence, resolve } = Promise.withResolvers<'silent'>()
  const timer = setTimeout(resolve, ms, 'silent')
  try {
    return await Promise.race([promise, silence])
  } finally {
    clearTimeout(timer)
  }
}

const lineCharactersMax = 1_048_576

/** Lines until the stream ends. A stream that breaks, or ends within a line, throws a NoAnswerError. */
export async function* readLines(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  const reader = stream.getReader()
  let text = ''
  try {
    for (;;) {
      const chunk = await reader.read()
      if (chunk.done) break
      text += decoder.decode(chunk.value, { stream: true })
      const lines = text.split('\n')
      text = lines.pop() ?? ''
      yield* lines
      if (text.length > lineCharactersMax) throw lost('the server sent a line that is too long')
    }
  } catch (error) {
    throw error instanceof NoAnswerError ? error : lost('the connection broke: try again')
  } finally {
    await reader.cancel().catch(() => undefined)
  }
  if (text !== '') throw lost('the last line is incomplete: try again')
}
