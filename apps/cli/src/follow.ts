/**
 * A live trace from the operator's side: lines as they come, over as many connections as it takes, until the trace has
 * ended or nobody wants it any more.
 */
import { setTimeout as pause } from 'node:timers/promises'
import {
  traceEdgeEventSchema,
  traceEventSchema,
  type TraceEdgeEvent,
  type TraceEvent,
  type TraceView,
} from '@imapfleet/protocol'
import type { Api } from './api.ts'
import { parseEvent, readEvents, type ServerEvent } from './events.ts'
import { Failure, isPassing } from './failure.ts'

export type TraceUpdate =
  | { kind: 'line'; line: TraceEvent }
  | { kind: 'edge'; edge: TraceEdgeEvent }
  /** The connection is gone and is tried again; the trace itself goes on at the edges. */
  | { kind: 'lost'; reason: string }
  | { kind: 'back' }
  | { kind: 'ended' }

type Live = Pick<Api, 'traceLive'>

const retryFirstMs = 500
const retryLastMs = 5_000

/** Returns without `ended` when the signal ends it. */
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
    // Without a server nobody says that the trace is over: its time says so.
    if (Date.now() > Date.parse(trace.expiresAt)) return yield { kind: 'ended' }
    if (!lost) yield { kind: 'lost', reason }
    lost = true
    await pause(retryMs, undefined, { signal }).catch(() => undefined)
    retryMs = Math.min(retryLastMs, retryMs * 2)
  }
}

/** Events of other names are for clients newer than this one. */
function newsOf(event: ServerEvent): TraceUpdate | undefined {
  if (event.event === 'end') return { kind: 'ended' }
  if (event.event === 'line') return { kind: 'line', line: parseEvent(event, traceEventSchema) }
  if (event.event === 'edge') return { kind: 'edge', edge: parseEvent(event, traceEdgeEventSchema) }
  return undefined
}
