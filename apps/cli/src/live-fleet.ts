/**
 * The present state of the fleet from the live stream of the API. While there is no connection it yields the last known
 * state and its age.
 */
import type { LiveEdge } from '@imapfleet/api'
import type { ApiClient } from '@imapfleet/client'

export interface LiveView {
  edges: readonly LiveEdge[]
  /** When the state was current, by this machine's clock. */
  at: number
  /** Why the state is outdated; undefined while the view is live. */
  stale: string | undefined
}

const pauses = { firstMs: 1_000, lastMs: 1_000 }
/** After this time without events a view is outdated, even if its connection is open. */
const silenceMs = 5_000

/** Yields a view every second, and whenever the connection is lost, until the signal is aborted. */
export async function* liveFleet(
  client: Pick<ApiClient, 'stream'>,
  region: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<LiveView> {
  let edges = new Map<string, LiveEdge>()
  let at = 0
  const view = (stale?: string): LiveView => ({ edges: [...edges.values()], at, stale })
  for await (const update of client.stream('followFleet', { query: { region }, signal, silenceMs, pauses })) {
    if (update.kind === 'open') continue
    if (update.kind === 'lost') {
      // Before the first event a failure is reported immediately.
      if (at === 0) throw update.error
      yield view(update.error.message)
      continue
    }
    const { name, data } = update
    if (name === 'trouble') {
      yield view(data.reason)
      continue
    }
    if (name === 'fleet') edges = new Map()
    for (const id of data.gone ?? []) edges.delete(id)
    for (const edge of data.edges) edges.set(edge.id, edge)
    at = Date.now()
    if (edges.size >= data.total) yield view()
  }
}
