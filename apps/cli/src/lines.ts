/** The stored lines of a trace, one JSON object per line, parsed as they come. */
import { traceEdgeEventSchema, traceEventSchema } from '@imapfleet/api'
import { parseJson } from '@imapfleet/protocol'
import { z } from 'zod'
import { Failure } from './failure.ts'
import type { TraceUpdate } from './follow.ts'

const lineCharactersMax = 1_048_576

const kinds = z.discriminatedUnion('kind', [
  traceEventSchema.extend({ kind: z.literal('line') }),
  traceEdgeEventSchema.extend({ kind: z.literal('edge') }),
])

/** Until the stream ends. An interrupted stream is a Failure. */
export async function* readLines(stream: ReadableStream<Uint8Array>): AsyncGenerator<TraceUpdate> {
  const decoder = new TextDecoder()
  let text = ''
  try {
    for await (const chunk of stream) {
      text += decoder.decode(chunk, { stream: true })
      const lines = text.split('\n')
      text = lines.pop() ?? ''
      if (text.length > lineCharactersMax) throw notUnderstood()
      yield* lines.map(newsOf)
    }
  } catch (error) {
    throw error instanceof Failure ? error : new Failure('unreachable', 'the connection broke: try again')
  }
  if (text !== '') throw new Failure('unreachable', 'the last line is incomplete: try again')
}

function newsOf(line: string): TraceUpdate {
  const parsed = kinds.safeParse(parseJson(line))
  if (!parsed.success) throw notUnderstood()
  const { kind, ...data } = parsed.data
  return kind === 'line'
    ? { kind, line: traceEventSchema.parse(data) }
    : { kind, edge: traceEdgeEventSchema.parse(data) }
}

const notUnderstood = () => new Failure('refused', 'the server sent a line that is not a trace line')
