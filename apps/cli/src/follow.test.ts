import assert from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { test } from 'node:test'
import type { TraceView } from '@imapfleet/api'
import { connect } from './api.ts'
import { traceUpdates, type TraceUpdate } from './follow.ts'
import { serveLoopback } from './loopback.test-support.ts'

const id = '7b7c1d3c-6a0b-4f0e-9f3e-0d9b8a1c2d3e'
const traceUntil = (expiresAt: number): TraceView => ({
  id,
  user: 'alice',
  createdBy: 'admin',
  createdAt: new Date(expiresAt - 1000).toISOString(),
  expiresAt: new Date(expiresAt).toISOString(),
  endedAt: null,
  bodies: false,
})
const later = () => traceUntil(Date.now() + 60_000)

const line = (text: string) => ({ at: 1, edge: 'eu-1', region: 'eu', session: 's', from: 'C', text })
const event = (name: string, data: unknown, eventId = '') =>
  `event: ${name}\n${eventId && `id: ${eventId}\n`}data: ${JSON.stringify(data)}\n\n`

type Connection = (response: ServerResponse, request: IncomingMessage) => void

/** A server that handles its nth connection with the nth function. */
async function api(...connections: Connection[]) {
  let next = 0
  const server = await serveLoopback((request, response) => {
    const handle = connections[next++]
    if (!handle) return void request.socket.destroy()
    if (handle !== refuse) response.writeHead(200, { 'content-type': 'text/event-stream' })
    handle(response, request)
  })
  return connect({ server, token: 't' })
}
const refuse: Connection = (response) => {
  response.writeHead(404, { 'content-type': 'application/problem+json' }).end(
    JSON.stringify({
      type: 'about:blank',
      title: 'No such trace',
      status: 404,
      code: 'trace_unknown',
    }),
  )
}
async function collect(all: AsyncIterable<TraceUpdate>): Promise<TraceUpdate[]> {
  const news: TraceUpdate[] = []
  for await (const item of all) news.push(item)
  return news
}
const never = new AbortController().signal
const kinds = (news: TraceUpdate[]) => news.map(({ kind }) => kind)

test('lines and edges come in order until the trace ends', async () => {
  const live = await api((response) =>
    response.end(
      event('edge', { edge: 'eu-1', region: 'eu', state: 'tracing' }) +
        event('line', line('a1 LOGIN')) +
        event('something-newer', 5) +
        event('end', {}),
    ),
  )
  const news = await collect(traceUpdates(live, later(), never))
  assert.deepEqual(kinds(news), ['edge', 'line', 'ended'])
})

test('a lost connection is reported, resumed after the last event, and reported as restored', async () => {
  let resumedAfter: string | string[] | undefined
  const live = await api(
    (response) => {
      response.write(event('line', line('one'), '41'), () => response.destroy())
    },
    (response, request) => {
      resumedAfter = request.headers['last-event-id']
      response.end(event('line', line('two'), '42') + event('end', {}))
    },
  )
  const news = await collect(traceUpdates(live, later(), never))
  assert.deepEqual(kinds(news), ['line', 'lost', 'back', 'line', 'ended'])
  assert.equal(resumedAfter, '41')
})

test('a refused request is not repeated', async () => {
  const live = await api(refuse)
  await assert.rejects(collect(traceUpdates(live, later(), never)), /No such trace/)
})

test('without the server, the trace ends when its time is up', async () => {
  const live = await api()
  assert.deepEqual(kinds(await collect(traceUpdates(live, traceUntil(Date.now() - 1), never))), ['ended'])
})

test('a signal ends it immediately, also during a silent stream', async () => {
  const stop = new AbortController()
  const live = await api((response) => {
    response.write(event('line', line('one')))
  })
  const news: TraceUpdate[] = []
  for await (const item of traceUpdates(live, later(), stop.signal)) {
    news.push(item)
    stop.abort()
  }
  assert.deepEqual(kinds(news), ['line'])
})

test('an invalid event is a failure, not a line', async () => {
  for (const data of ['{', '{"at":1}', '"text"']) {
    const live = await api((response) => response.end(`event: line\ndata: ${data}\n\n`))
    await assert.rejects(collect(traceUpdates(live, later(), never)), /cannot parse/)
  }
})
