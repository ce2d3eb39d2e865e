/** Routes of traces. */
import type { traceRoutes } from '@imapfleet/api'
import type { Deps } from '../../deps.ts'
import type { EventOf, Handlers } from '../../platform/http/handlers.ts'
import { followTrace, readTraceLines, type TraceNews, type TracePosition } from './follow.ts'
import { beginTrace, endTrace, listTraces, readTrace } from './service.ts'

export const traceHandlers = (deps: Deps): Handlers<typeof traceRoutes> => ({
  startTrace: ({ actor, body }) => beginTrace(deps, actor, body),
  listTraces: ({ actor, query }) => listTraces(deps, actor.limits, query),
  readTrace: ({ actor, params }) => readTrace(deps, actor.limits, params.id),
  endTrace: ({ actor, params }) => endTrace(deps, actor, params.id),
  readTraceLines: async ({ actor, params, signal }) =>
    linesOf(await readTraceLines(deps, actor, params.id, signal)),
  followTrace: async ({ actor, params, context, signal }) => {
    const after = placeOf(context.req.header('last-event-id'))
    return eventsOf(await followTrace(deps, actor, params.id, signal, after))
  },
})

async function* linesOf(news: AsyncIterable<TraceNews>) {
  for await (const item of news)
    if (item.kind === 'line') yield { kind: item.kind, ...item.line }
    else if (item.kind === 'edge') yield { kind: item.kind, ...item.edge }
}

type FollowEvent = EventOf<typeof traceRoutes.followTrace.events>

async function* eventsOf(news: AsyncIterable<TraceNews>): AsyncGenerator<FollowEvent> {
  for await (const item of news)
    if (item.kind === 'end') yield { event: 'end', data: {} }
    else if (item.kind === 'line') yield { event: 'line', data: item.line, id: idOf(item.place) }
    else yield { event: 'edge', data: item.edge, id: idOf(item.place) }
}

const idOf = ({ message, item }: TracePosition): string => `${message}-${item}`

function placeOf(id: string | undefined): TracePosition | undefined {
  const [, message, item] = /^(\d{1,15})-(\d{1,9})$/.exec(id ?? '') ?? []
  return message === undefined ? undefined : { message: Number(message), item: Number(item) }
}
