/**
 * The present state of the fleet from the live stream of the API, with reconnects. While there is no connection it
 * yields the last known state and its age.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { liveFleetSchema, liveTroubleSchema, type LiveEdge } from '@imapfleet/api'
import type { Api } from './api.ts'
import { parseEvent, readEvents } from './events.ts'
import { Failure, isPassing } from './failure.ts'

export interface LiveView {
  edges: readonly LiveEdge[]
  /** When the state was current, by this machine's clock. */
  at: number
  /** Why the state is outdated; undefined while the view is live. */
  stale: string | undefined
}

const retryMs = 1_000
/** After this time without events a view is outdated, even if its connection is open. */
const silenceMs = 5_000

/** Yields a view every second, and whenever the connection is lost, until the signal is aborted. */
export async function* liveFleet(
  api: Pick<Api, 'live'>,
  region: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<LiveView> {
  let edges = new Map<string, LiveEdge>()
  let at = 0
  const view = (stale?: string): LiveView => ({ edges: [...edges.values()], at, stale })
  while (!signal.aborted) {
    let reason = 'the server closed the stream'
    try {
      const stream = await api.live({ region }, signal)
      for await (const message of readEvents(stream, silenceMs)) {
        const { event } = message
        if (event === 'trouble') {
          yield view(parseEvent(message, liveTroubleSchema).reason)
          continue
        }
        if (event !== 'fleet' && event !== 'tick') continue
        if (event === 'fleet') edges = new Map()
        const news = parseEvent(message, liveFleetSchema)
        for (const id of news.gone ?? []) edges.delete(id)
        for (const edge of news.edges) edges.set(edge.id, edge)
        at = Date.now()
        if (edges.size >= news.total) yield view()
      }
    } catch (error) {
      if (signal.aborted) return
      if (!(error instanceof Failure) || !isPassing(error)) throw error
      // Before the first event a failure is reported immediately.
      if (at === 0) throw error
      reason = error.message
    }
    if (signal.aborted) return
    yield view(reason)
    await pause(retryMs, undefined, { signal }).catch(() => undefined)
  }
}
