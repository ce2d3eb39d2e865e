/**
 * A trace as it happens: all lines from its first on, then new ones as they come, until it has ended and every edge that
 * took part has said so. Nothing is remembered between two listeners; any replica can serve the next one.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import {
  traceBatchSchema,
  subjects,
  type TraceBatch,
  type TraceEdgeEvent,
  type TraceEvent,
} from '@imapfleet/protocol'
import { needsScope, type Actor } from '../access.ts'
import { recognise } from '../bus/recognise.ts'
import { openTraceFeed, traceKeptMs, type TraceReader } from '../bus/traces.ts'
import type { TraceRow } from '../db/traces.ts'
import type { Deps } from '../deps.ts'
import { ServiceError } from '../errors.ts'
import { traceEnd } from '../views/trace-view.ts'
import { knownTrace } from './read-trace.ts'

export type TraceNews =
  | { kind: 'line'; place: TracePosition; line: TraceEvent }
  | { kind: 'edge'; place: TracePosition; edge: TraceEdgeEvent }
  | { kind: 'end' }

/** Where a listener is: a message of the stream, and the item of it that was seen last. */
export interface TracePosition {
  message: number
  item: number
}

/** How often an ending by another replica is looked for. */
const roundMs = 1_000
/** How long after the end of a trace its edges may take to send what they still have. */
const graceMs = 3_000

/** Without `after` from the first line. The listening ends after `end`, or when the signal is aborted. */
export async function followTrace(
  deps: Deps,
  actor: Actor,
  id: string,
  signal: AbortSignal,
  after: TracePosition = beginning,
): Promise<AsyncGenerator<TraceNews, void>> {
  await readable(deps, actor, id)
  deps.bus.link()
  return listen(deps, id, signal, after)
}

/** What is kept of it now, running or ended; throws when NATS goes away meanwhile. */
export async function readTraceLines(
  deps: Deps,
  actor: Actor,
  id: string,
  signal: AbortSignal,
): Promise<AsyncGenerator<TraceNews, void>> {
  const end = traceEnd(await readable(deps, actor, id), deps.now())
  const keptMs = await traceKeptMs(deps.bus)
  if (end !== null && keptMs > 0 && end.getTime() < deps.now() - keptMs)
    throw new ServiceError(
      'trace_forgotten',
      `The trace ended at ${end.toISOString()}, and lines are kept for ${Math.round(keptMs / 3_600_000)} h (TRACES_KEPT_HOURS).`,
    )
  return kept(deps, id, signal)
}

const beginning: TracePosition = { message: 0, item: -1 }

async function readable(deps: Deps, actor: Actor, id: string): Promise<TraceRow> {
  const trace = await knownTrace(deps, id)
  if (trace.bodies) needsScope(actor, 'trace-bodies')
  return trace
}

async function* kept(deps: Deps, id: string, signal: AbortSignal): AsyncGenerator<TraceNews, void> {
  const feed = openTraceFeed(deps.bus, id)
  const parts = new Parts()
  try {
    do yield* newsOf(feed, parts, signal, beginning)
    while (!feed.caughtUp() && !signal.aborted)
  } finally {
    feed.close()
  }
}

async function* listen(
  deps: Deps,
  id: string,
  signal: AbortSignal,
  after: TracePosition,
): AsyncGenerator<TraceNews, void> {
  const feed = openTraceFeed(deps.bus, id)
  const parts = new Parts()
  try {
    while (!signal.aborted) {
      try {
        yield* newsOf(feed, parts, signal, after)
        if (await isOver(deps, id, feed, parts)) return yield { kind: 'end' }
      } catch {
        // NATS or Postgres is away, which is logged where it is noticed: the listener waits here until it is back.
        await sleep(roundMs, undefined, { signal }).catch(() => {})
      }
    }
  } finally {
    feed.close()
  }
}

/** Ended, all that was kept has been read, and no edge has anything left to send. */
async function isOver(deps: Deps, id: string, feed: TraceReader, parts: Parts): Promise<boolean> {
  const now = deps.now()
  const end = traceEnd(await knownTrace(deps, id), now)
  return end !== null && feed.caughtUp() && (parts.allEnded() || now > end.getTime() + graceMs)
}

async function* newsOf(
  feed: TraceReader,
  parts: Parts,
  signal: AbortSignal,
  after: TracePosition,
): AsyncGenerator<TraceNews, void> {
  for await (const message of feed.round(roundMs)) {
    if (signal.aborted) return
    const batch = recognise(traceBatchSchema, message, (value) => subjects.trace(value, value.trace))
    if (!batch.ok || parts.hasSeen(batch.value)) continue
    for (const [item, news] of itemsOf(batch.value, parts.begins(batch.value)).entries()) {
      const place = { message: message.place, item }
      if (place.message > after.message || (place.message === after.message && item > after.item))
        yield { ...news, place }
    }
    if (batch.value.ended !== undefined) parts.end(batch.value)
  }
}

type Item = { kind: 'line'; line: TraceEvent } | { kind: 'edge'; edge: TraceEdgeEvent }

function itemsOf({ edge, region, lines, ended }: TraceBatch, isFirst: boolean): Item[] {
  return [
    ...(isFirst ? [{ kind: 'edge', edge: { edge, region, state: 'tracing' } } as const] : []),
    ...lines.map((line) => ({ kind: 'line', line: { ...line, edge, region } }) as const),
    ...(ended === undefined
      ? []
      : [{ kind: 'edge', edge: { edge, region, state: 'ended', reason: ended } } as const]),
  ]
}

/** Which boots of which edges take part, and how far each has come. */
class Parts {
  readonly #last = new Map<string, number>()
  readonly #ended = new Set<string>()

  /** A batch that was sent twice. */
  hasSeen(batch: TraceBatch): boolean {
    return batch.sequence <= (this.#last.get(keyOf(batch)) ?? 0)
  }

  /** Notes the batch; true if it is the first of this boot. */
  begins(batch: TraceBatch): boolean {
    const isFirst = !this.#last.has(keyOf(batch))
    this.#last.set(keyOf(batch), batch.sequence)
    return isFirst
  }

  end(batch: TraceBatch): void {
    this.#ended.add(keyOf(batch))
  }

  /** True if at least one takes part, and all that do have ended their part. */
  allEnded(): boolean {
    return this.#last.size > 0 && [...this.#last.keys()].every((key) => this.#ended.has(key))
  }
}

const keyOf = ({ edge, boot }: TraceBatch): string => `${edge}/${boot}`
