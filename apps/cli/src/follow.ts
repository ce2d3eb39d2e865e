/** A live trace: lines as they come, with reconnects, until the trace has ended or the operator stops. */
import { setTimeout as pause } from 'node:timers/promises'
import {
  traceEdgeEventSchema,
  traceEventSchema,
  type TraceEdgeEvent,
  type TraceEvent,
  type TraceView,
} from '@imapfleet/api'
import type { Api } from './api.ts'
import { parseEvent, readEvents, type ServerEvent } from './events.ts'
import { Failure, isPassing } from './failure.ts'

export type TraceUpdate =
  | { kind: 'line'; line: TraceEvent }
  | { kind: 'edge'; edge: TraceEdgeEvent }
  /** The connection was lost and is retried. The edges continue to trace. */
  | { kind: 'lost'; reason: string }
  | { kind: 'back' }
  | { kind: 'ended' }

type Live = Pick<Api, 'traceLive'>

const retryFirstMs = 500
const retryLastMs = 5_000

/** Returns without `ended` if the signal ends it. */
export async function* traceUpdates(
  api: Live,
  trace: TraceView,
  signal: AbortSignal,
): AsyncGenerator<TraceUpdate> {
  let after: string | undefined
  let retryMs = retryFirstMs
  let lost = false
  while (!signal.aborted) {
    let reason = 'the server closed the stream'
    try {
      const stream = await api.traceLive(trace.id, signal, after)
      if (lost) yield { kind: 'back' }
      lost = false
      for await (const event of readEvents(stream)) {
        retryMs = retryFirstMs
        after = event.id ?? after
        const news = newsOf(event)
        if (news) yield news
        if (news?.kind === 'ended') return
      }
    } catch (error) {
      if (signal.aborted) return
      if (!(error instanceof Failure) || !isPassing(error)) throw error
      reason = error.message
    }
    // If no server answers, the expiry of the trace ends it.
    if (Date.now() > Date.parse(trace.expiresAt)) return yield { kind: 'ended' }
    if (!lost) yield { kind: 'lost', reason }
    lost = true
    await pause(retryMs, undefined, { signal }).catch(() => undefined)
    retryMs = Math.min(retryLastMs, retryMs * 2)
  }
}

/** Unknown events are for newer clients. */
function newsOf(event: ServerEvent): TraceUpdate | undefined {
  if (event.event === 'end') return { kind: 'ended' }
  if (event.event === 'line') return { kind: 'line', line: parseEvent(event, traceEventSchema) }
  if (event.event === 'edge') return { kind: 'edge', edge: parseEvent(event, traceEdgeEventSchema) }
  return undefined
}
