/** The present state of the fleet: one stream for screens, one page for Prometheus. */
import { createRoute } from '@hono/zod-openapi'
import { reasonOf, prometheusContentType } from '@imapfleet/observe'
import type { LiveEdge } from '@imapfleet/api'
import { z } from 'zod'
import type { Deps } from '../../deps.ts'
import { ServiceError } from '../../platform/errors.ts'
import { Changes, LiveFeed } from './live.ts'
import { listLiveEdges } from './service.ts'
import { printFleetMetrics } from './print-fleet-metrics.ts'
import { eventStream } from '../../platform/http/event-stream.ts'
import { bearer, needs, newRoutes, problems } from '../../platform/http/routes.ts'

/** Live views that one process serves at the same time. */
const viewersMax = 200

/** Size of one event without its last edge, which can have 25 thousand characters. Readers accept a million. */
const eventCharactersMax = 250_000

const live = createRoute({
  method: 'get',
  path: '/live',
  tags: ['edges'],
  summary: 'The state of the fleet every second, as Server-Sent Events',
  description:
    'Events: `fleet` (the first: all edges; in a large fleet the first ones, with the rest in the next event), ' +
    '`tick` (every second: the edges that changed; `gone` lists those that left), ' +
    '`trouble` (why there is no tick). All three have `at`.',
  security: bearer,
  middleware: needs('viewer'),
  request: { query: z.object({ region: z.string().max(63).optional() }) },
  responses: {
    200: { description: 'Events', content: { 'text/event-stream': { schema: z.string() } } },
    ...problems,
  },
})

const fleetMetrics = createRoute({
  method: 'get',
  path: '/metrics',
  tags: ['stats'],
  summary: 'All edges for Prometheus, as of their last heartbeat',
  security: bearer,
  middleware: needs('viewer'),
  responses: {
    200: { description: 'Metrics', content: { 'text/plain': { schema: z.string() } } },
    ...problems,
  },
})

export function liveRoutes(deps: Deps, stopping: AbortSignal) {
  const feed = new LiveFeed(() => listLiveEdges(deps), deps.now)
  let viewers = 0
  const routes = newRoutes().openapi(fleetMetrics, async (context) =>
    context.text(await printFleetMetrics(deps), 200, { 'content-type': prometheusContentType }),
  )
  return routes.openapi(live, (context) => {
    if (viewers >= viewersMax)
      throw new ServiceError(
        'streams_full',
        `${viewersMax} live views are open on this process: close some, or ask another replica.`,
      )
    const { region } = context.req.valid('query')
    // Counted immediately, not at the first event, because other requests may arrive in between.
    viewers++
    const listening = new AbortController()
    listening.signal.addEventListener('abort', () => viewers--, { once: true })
    const changes = new Changes(region)
    return eventStream(context, listening, async (send) => {
      let event = 'fleet'
      for await (const news of feed.news(AbortSignal.any([listening.signal, stopping]))) {
        const at = new Date(deps.now()).toISOString()
        if (news.kind === 'trouble') {
          await send('trouble', { at, reason: reasonOf(news.error) })
          continue
        }
        const { changed, gone } = changes.in(news.edges)
        for (const [index, edges] of inParts(changed).entries()) {
          const left = index === 0 && gone.length > 0 ? { gone } : {}
          await send(event, { at, total: changes.total, edges, ...left })
          event = 'tick'
        }
      }
    })
  })
}

/** At least one part, because an empty tick shows that the stream is alive. */
export function inParts(edges: readonly LiveEdge[]): LiveEdge[][] {
  let part: LiveEdge[] = []
  const parts = [part]
  let characters = 0
  for (const edge of edges) {
    if (characters > eventCharactersMax) {
      parts.push((part = []))
      characters = 0
    }
    part.push(edge)
    characters += JSON.stringify(edge).length
  }
  return parts
}
