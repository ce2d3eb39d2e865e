/**
 * The fleet as it is, from the one stream of the API: over as many connections as it takes, with what is known meanwhile
 * and since when it is no longer sure.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { liveFleetSchema, liveTroubleSchema, type LiveEdge } from '@imapfleet/protocol'
import type { Api } from './api.ts'
import { parseEvent, readEvents } from './events.ts'
import { Failure, isPassing } from './failure.ts'

export interface LiveView {
  edges: readonly LiveEdge[]
  /** When this was so, by this machine's clock. */
  at: number
  /** Why nothing newer is known; undefined while the view is live. */
  stale: string | undefined
}

const retryMs = 1_000
/** A view that has heard nothing for so long is not live, though its connection may be. */
const silenceMs = 5_000

/** A view for each second, and one at each change for the worse, until the signal is aborted. */
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
      // Who has never seen anything wants to know at once that there is nobody to ask.
      if (at === 0) throw error
      reason = error.message
    }
    if (signal.aborted) return
    yield view(reason)
    await pause(retryMs, undefined, { signal }).catch(() => undefined)
  }
}
