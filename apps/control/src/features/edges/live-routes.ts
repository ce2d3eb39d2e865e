/** The present state of the fleet, as a stream for screens. */
import { reasonOf } from '@imapfleet/observe'
import type { AccessLimits, liveRoutes } from '@imapfleet/api'
import type { Deps } from '../../deps.ts'
import { noLimits } from '../../platform/access.ts'
import { JsonText, type EventOf, type Handlers } from '../../platform/http/handlers.ts'
import { Changes, LiveFeed, type ShownEdge } from './live.ts'
import { listLiveEdges } from './service.ts'

/** Size of one event without its last edge, which can have 25 thousand characters. Readers accept a million. */
const eventCharactersMax = 250_000

type LiveEvents = AsyncGenerator<EventOf<typeof liveRoutes.followFleet.events>>

export function liveHandlers(deps: Deps): Handlers<typeof liveRoutes> {
  // One for all views. Each leaves out what is outside its limits.
  const feed = new LiveFeed(() => listLiveEdges(deps, noLimits), deps.now)

  async function* eventsFor(
    limits: AccessLimits,
    region: string | undefined,
    signal: AbortSignal,
  ): LiveEvents {
    const changes = new Changes(limits, region)
    let event: 'fleet' | 'tick' = 'fleet'
    for await (const news of feed.news(signal)) {
      const at = new Date(deps.now()).toISOString()
      if (news.kind === 'trouble') {
        yield { event: 'trouble', data: { at, reason: reasonOf(news.error) } }
        continue
      }
      const { changed, gone } = changes.in(news.edges)
      for (const [index, edges] of inParts(changed).entries()) {
        const left = index === 0 && gone.length > 0 ? { gone } : {}
        yield { event, data: fleetOf(edges, { at, total: changes.total, ...left }) }
        event = 'tick'
      }
    }
  }

  return {
    followFleet: ({ actor, query, signal }) => eventsFor(actor.limits, query.region, signal),
  }
}

/** The data of an event. The edges are JSON already, so that each view only joins them. */
export const fleetOf = (
  edges: readonly ShownEdge[],
  head: { at: string; total: number; gone?: string[] },
): JsonText =>
  new JsonText(`${JSON.stringify(head).slice(0, -1)},"edges":[${edges.map(({ json }) => json).join()}]}`)

/** At least one part, because an empty tick shows that the stream is alive. */
export function inParts(edges: readonly ShownEdge[]): ShownEdge[][] {
  let part: ShownEdge[] = []
  const parts = [part]
  let characters = 0
  for (const edge of edges) {
    if (characters > eventCharactersMax) {
      parts.push((part = []))
      characters = 0
    }
    part.push(edge)
    characters += edge.json.length
  }
  return parts
}
