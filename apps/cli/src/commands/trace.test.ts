import assert from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { test } from 'node:test'
import type { TraceView } from '@imapfleet/api'
import { createClient } from '@imapfleet/client'
import { serveLoopback } from '../loopback.test-support.ts'
import { traceUpdates } from './trace.ts'

const id = '7b7c1d3c-6a0b-4f0e-9f3e-0d9b8a1c2d3e'
const traceUntil = (expiresAt: number): TraceView => ({
  id,
  user: 'alice',
  region: null,
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
async function clientOf(...connections: Connection[]) {
  let next = 0
  const server = await serveLoopback((request, response) => {
    const handle = connections[next++]
    if (!handle) return void request.socket.destroy()
    if (handle !== refuse) response.writeHead(200, { 'content-type': 'text/event-stream' })
    handle(response, request)
  })
  return createClient({ server, token: 't' })
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
const collect = (all: ReturnType<typeof traceUpdates>) => Array.fromAsync(all)
const never = new AbortController().signal
const kinds = (updates: { kind: string }[]) => updates.map(({ kind }) => kind)

test('lines and edges come in order until the trace ends', async () => {
  const live = await clientOf((response) =>
    response.end(
      event('edge', { edge: 'eu-1', region: 'eu', state: 'tracing' }) +
        event('line', line('a1 LOGIN')) +
        event('something-newer', 5) +
        event('end', {}),
    ),
  )
  const updates = await collect(traceUpdates(live, later(), never))
  assert.deepEqual(kinds(updates), ['edge', 'line', 'ended'])
})

test('a lost connection is reported, resumed after the last event, and reported as restored', async () => {
  let resumedAfter: string | string[] | undefined
  const live = await clientOf(
    (response) => {
      response.write(event('line', line('one'), '41'), () => response.destroy())
    },
    (response, request) => {
      resumedAfter = request.headers['last-event-id']
      response.end(event('line', line('two'), '42') + event('end', {}))
    },
  )
  const updates = await collect(traceUpdates(live, later(), never))
  assert.deepEqual(kinds(updates), ['line', 'lost', 'back', 'line', 'ended'])
  assert.equal(resumedAfter, '41')
})

test('a refused request is not repeated', async () => {
  const live = await clientOf(refuse)
  await assert.rejects(collect(traceUpdates(live, later(), never)), /No such trace/)
})

test('without the server, the trace ends when its time is up', async () => {
  const live = await clientOf()
  assert.deepEqual(kinds(await collect(traceUpdates(live, traceUntil(Date.now() - 1), never))), ['ended'])
})

test('a signal ends the trace immediately, also during a silent stream', async () => {
  const stop = new AbortController()
  const live = await clientOf((response) => {
    response.write(event('line', line('one')))
  })
  const updates: { kind: string }[] = []
  for await (const item of traceUpdates(live, later(), stop.signal)) {
    updates.push(item)
    stop.abort()
  }
  assert.deepEqual(kinds(updates), ['line'])
})

test('an invalid event is a failure, not a line', async () => {
  for (const data of ['{', '{"at":1}', '"text"']) {
    const live = await clientOf((response) => response.end(`event: line\ndata: ${data}\n\n`))
    await assert.rejects(collect(traceUpdates(live, later(), never)), /cannot parse/)
  }
})
