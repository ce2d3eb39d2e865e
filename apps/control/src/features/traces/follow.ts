/**
 * A trace as it happens: all stored lines, then new ones, until the trace has ended and every edge that traced has
 * said so. Nothing is kept between two listeners, so any replica can serve the next one.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { type TraceEdgeEvent, type TraceEvent } from '@imapfleet/api'
import { traceBatchSchema, subjects, type TraceBatch } from '@imapfleet/protocol'
import { needsScope, noLimits, type Actor } from '../../platform/access.ts'
import { recognise } from '../../platform/nats/recognise.ts'
import { openTraceFeed, traceKeptMs, type TraceReader } from './feed.ts'
import type { TraceRow } from './queries.ts'
import type { Deps } from '../../deps.ts'
import { ServiceError } from '../../platform/errors.ts'
import { knownTrace, traceEnd } from './service.ts'

export type TraceNews =
  | { kind: 'line'; place: TracePosition; line: TraceEvent }
  | { kind: 'edge'; place: TracePosition; edge: TraceEdgeEvent }
  | { kind: 'end' }

/** The position of a listener: a message of the stream, and the last item of it that was sent. */
export interface TracePosition {
  message: number
  item: number
}

/** How often to check whether another replica ended the trace. */
const roundMs = 1_000
/** How long edges may take after the end of a trace to send their last lines. */
const graceMs = 3_000

/** Without `after` from the first line. Ends after `end`, or when the signal is aborted. */
export async function followTrace(
  deps: Deps,
  actor: Actor,
  id: string,
  signal: AbortSignal,
  after: TracePosition = beginning,
): Promise<AsyncGenerator<TraceNews, void>> {
  const trace = await readable(deps, actor, id)
  deps.bus.link()
  return listen(deps, trace, signal, after)
}

/** What is stored now, of a running or ended trace. Throws if NATS goes down. */
export async function readTraceLines(
  deps: Deps,
  actor: Actor,
  id: string,
  signal: AbortSignal,
): Promise<AsyncGenerator<TraceNews, void>> {
  const trace = await readable(deps, actor, id)
  const end = traceEnd(trace, deps.now())
  const keptMs = await traceKeptMs(deps.bus)
  if (end !== null && keptMs > 0 && end.getTime() < deps.now() - keptMs)
    throw new ServiceError(
      'trace_forgotten',
      `The trace ended at ${end.toISOString()}, and lines are kept for ${Math.round(keptMs / 3_600_000)} h (TRACES_KEPT_HOURS).`,
    )
  return kept(deps, trace, signal)
}

const beginning: TracePosition = { message: 0, item: -1 }

async function readable(deps: Deps, actor: Actor, id: string): Promise<TraceRow> {
  const trace = await knownTrace(deps, actor.limits, id)
  if (trace.bodies) needsScope(actor, 'trace-bodies')
  return trace
}

async function* kept(deps: Deps, trace: TraceRow, signal: AbortSignal): AsyncGenerator<TraceNews, void> {
  const feed = openTraceFeed(deps.bus, trace)
  const parts = new Parts()
  try {
    do yield* newsOf(deps, trace, feed, parts, signal, beginning)
    while (!feed.hasReadStored() && !signal.aborted)
  } finally {
    feed.close()
  }
}

async function* listen(
  deps: Deps,
  trace: TraceRow,
  signal: AbortSignal,
  after: TracePosition,
): AsyncGenerator<TraceNews, void> {
  const feed = openTraceFeed(deps.bus, trace)
  const parts = new Parts()
  try {
    while (!signal.aborted) {
      try {
        yield* newsOf(deps, trace, feed, parts, signal, after)
        if (await isOver(deps, trace.id, feed, parts)) return yield { kind: 'end' }
      } catch {
        // NATS or Postgres is unavailable, which is logged elsewhere. The listener waits here.
        await sleep(roundMs, undefined, { signal }).catch(() => {})
      }
    }
  } finally {
    feed.close()
  }
}

/** The trace has ended, everything stored was read, and no edge has anything left to send. */
async function isOver(deps: Deps, id: string, feed: TraceReader, parts: Parts): Promise<boolean> {
  const now = deps.now()
  const end = traceEnd(await knownTrace(deps, noLimits, id), now)
  return end !== null && feed.caughtUp() && (parts.allEnded() || now > end.getTime() + graceMs)
}

async function* newsOf(
  { intake }: Pick<Deps, 'intake'>,
  trace: TraceRow,
  feed: TraceReader,
  parts: Parts,
  signal: AbortSignal,
  after: TracePosition,
): AsyncGenerator<TraceNews, void> {
  for await (const message of feed.round(roundMs)) {
    if (signal.aborted) return
    const batch = intake.accepted(
      'trace',
      message.subject,
      recognise(traceBatchSchema, message, subjects.trace),
    )
    // A line of another trace can contain the id of this one.
    if (batch?.trace !== trace.id) continue
    // An edge of another region traces it only if an earlier version of control told it to.
    if (trace.region !== null && batch.region !== trace.region) continue
    if (batch.user !== trace.user) {
      intake.note(
        'trace',
        message.subject,
        'malformed',
        'a line of a trace names another user than the trace',
      )
      continue
    }
    if (parts.hasSeen(batch)) continue
    for (const [item, news] of itemsOf(batch, parts.begins(batch)).entries()) {
      const place = { message: message.place, item }
      if (place.message > after.message || (place.message === after.message && item > after.item))
        yield { ...news, place }
    }
    if (batch.ended !== undefined) parts.end(batch)
  }
}

type Item = { kind: 'line'; line: TraceEvent } | { kind: 'edge'; edge: TraceEdgeEvent }

function itemsOf(
  { at, edge, region, lines, ended }: TraceBatch,
  { isFirst, missing }: { isFirst: boolean; missing: boolean },
): Item[] {
  const gap = {
    at,
    session: '',
    from: '*',
    text: 'lines of this edge are missing here',
    edge,
    region,
  } as const
  return [
    ...(isFirst ? [{ kind: 'edge', edge: { edge, region, state: 'tracing' } } as const] : []),
    ...(missing ? [{ kind: 'line', line: gap } as const] : []),
    ...lines.map((line) => ({ kind: 'line', line: { ...line, edge, region } }) as const),
    ...(ended === undefined
      ? []
      : [{ kind: 'edge', edge: { edge, region, state: 'ended', reason: ended } } as const]),
  ]
}

/** The boots of the edges that trace, and the progress of each. */
class Parts {
  readonly #last = new Map<string, number>()
  readonly #ended = new Set<string>()

  /** The batch was received before. */
  hasSeen(batch: TraceBatch): boolean {
    return batch.sequence <= (this.#last.get(keyOf(batch)) ?? 0)
  }

  /** Registers the batch. `missing`: batches before it were removed from the stream, or the edge dropped them. */
  begins(batch: TraceBatch): { isFirst: boolean; missing: boolean } {
    const last = this.#last.get(keyOf(batch))
    this.#last.set(keyOf(batch), batch.sequence)
    return { isFirst: last === undefined, missing: batch.sequence > (last ?? 0) + 1 }
  }

  end(batch: TraceBatch): void {
    this.#ended.add(keyOf(batch))
  }

  /** True if at least one edge traced, and all that did have finished. */
  allEnded(): boolean {
    return this.#last.size > 0 && [...this.#last.keys()].every((key) => this.#ended.has(key))
  }
}

const keyOf = ({ edge, boot }: TraceBatch): string => `${edge}/${boot}`
