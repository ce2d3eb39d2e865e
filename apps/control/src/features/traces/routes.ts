/** Routes of traces. */
import { createRoute } from '@hono/zod-openapi'
import { traceListSchema, traceRequestSchema, traceSchema } from '@imapfleet/api'
import type { TypedResponse } from 'hono'
import { stream } from 'hono/streaming'
import { z } from 'zod'
import type { Deps } from '../../deps.ts'
import { followTrace, readTraceLines, type TracePosition } from './follow.ts'
import { beginTrace, endTrace, listTraces, readTrace } from './service.ts'
import { eventStream } from '../../platform/http/event-stream.ts'
import {
  bearer,
  body,
  jsonContent,
  needs,
  newRoutes,
  pageById,
  problems,
} from '../../platform/http/routes.ts'

const shared = { tags: ['traces'], security: bearer }
const byId = { params: z.object({ id: z.uuid() }) }

const start = createRoute({
  ...shared,
  method: 'post',
  path: '/traces',
  summary: 'Trace a user on every edge; message bodies need the scope trace-bodies',
  middleware: needs('operator'),
  request: { body: body(traceRequestSchema) },
  responses: { 201: jsonContent(traceSchema, 'The trace'), ...problems },
})

const list = createRoute({
  ...shared,
  method: 'get',
  path: '/traces',
  summary: 'Traces, running or ended, newest first',
  middleware: needs('operator'),
  request: {
    query: pageById,
  },
  responses: { 200: jsonContent(traceListSchema, 'Traces'), ...problems },
})

const read = createRoute({
  ...shared,
  method: 'get',
  path: '/traces/{id}',
  summary: 'One trace',
  middleware: needs('operator'),
  request: byId,
  responses: { 200: jsonContent(traceSchema, 'The trace'), ...problems },
})

const end = createRoute({
  ...shared,
  method: 'delete',
  path: '/traces/{id}',
  summary: 'End a trace early',
  middleware: needs('operator'),
  request: byId,
  responses: { 200: jsonContent(traceSchema, 'The ended trace'), ...problems },
})

const live = createRoute({
  ...shared,
  method: 'get',
  path: '/traces/{id}/live',
  summary: 'The lines of a trace from the first, as Server-Sent Events',
  description:
    'Events: `line` (a line), `edge` (an edge joined or left), `end`. ' +
    'With `Last-Event-ID` the stream continues after that event.',
  middleware: needs('operator'),
  request: byId,
  responses: {
    200: { description: 'Events', content: { 'text/event-stream': { schema: z.string() } } },
    ...problems,
  },
})

const lines = createRoute({
  ...shared,
  method: 'get',
  path: '/traces/{id}/lines',
  summary: 'The stored lines of a trace, running or ended, one JSON object per line',
  description: 'Each object has a `kind`: `line`, or `edge` (an edge joined or left).',
  middleware: needs('operator'),
  request: byId,
  responses: {
    200: { description: 'Lines', content: { 'application/jsonl': { schema: z.string() } } },
    ...problems,
  },
})

export const traceRoutes = (deps: Deps, stopping: AbortSignal) =>
  newRoutes()
    .openapi(start, async (context) =>
      context.json(await beginTrace(deps, context.get('actor'), context.req.valid('json')), 201),
    )
    .openapi(list, async (context) => context.json(await listTraces(deps, context.req.valid('query')), 200))
    .openapi(read, async (context) => context.json(await readTrace(deps, context.req.valid('param').id), 200))
    .openapi(end, async (context) =>
      context.json(await endTrace(deps, context.get('actor'), context.req.valid('param').id), 200),
    )
    .openapi(lines, async (context) => {
      const { id } = context.req.valid('param')
      const reading = new AbortController()
      const signal = AbortSignal.any([reading.signal, stopping])
      const news = await readTraceLines(deps, context.get('actor'), id, signal)
      context.header('content-type', 'application/jsonl')
      const answer = stream(context, async (out) => {
        out.onAbort(() => reading.abort())
        for await (const item of news)
          if (item.kind === 'line') await out.write(lineOf({ kind: item.kind, ...item.line }))
          else if (item.kind === 'edge') await out.write(lineOf({ kind: item.kind, ...item.edge }))
      })
      // hono does not know the type of a stream.
      return answer as Response & TypedResponse<string, 200, 'json'>
    })
    .openapi(live, async (context) => {
      const { id } = context.req.valid('param')
      const after = placeOf(context.req.header('last-event-id'))
      const listening = new AbortController()
      const news = await followTrace(
        deps,
        context.get('actor'),
        id,
        AbortSignal.any([listening.signal, stopping]),
        after,
      )
      return eventStream(context, listening, async (send) => {
        for await (const event of news) {
          if (event.kind === 'end') await send('end', {})
          else await send(event.kind, event.kind === 'line' ? event.line : event.edge, idOf(event.place))
        }
      })
    })

const lineOf = (data: object): string => `${JSON.stringify(data)}\n`

const idOf = ({ message, item }: TracePosition): string => `${message}-${item}`

function placeOf(id: string | undefined): TracePosition | undefined {
  const [, message, item] = /^(\d{1,15})-(\d{1,9})$/.exec(id ?? '') ?? []
  return message === undefined ? undefined : { message: Number(message), item: Number(item) }
}
