import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { test } from 'node:test'
import type { LiveEdge } from '@imapfleet/api'
import { NoAnswerError, ProblemError, createClient } from '@imapfleet/client'
import { liveFleet, type LiveView } from './live-fleet.ts'
import { serveLoopback } from './loopback.test-support.ts'

const at = '2026-01-01T00:00:00.000Z'
const edge = (id: string, cached = 0): LiveEdge => ({
  id,
  region: 'eu',
  state: 'serving',
  version: '1',
  lastSeenAt: at,
  sessionsPerSecond: 1,
  loginsPerSecond: 1,
  reuseRatio: 1,
  errorsPerSecond: 0,
  loginP50Ms: 1,
  clients: 0,
  active: 0,
  cached,
  waiting: 0,
  config: { wanted: 1, applied: 1 },
  degraded: [],
  problems: [],
})
const event = (name: string, data: unknown) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`
const fleet = (name: string, total: number, ...edges: LiveEdge[]) => event(name, { at, total, edges })

type Connection = (response: ServerResponse) => void
const streams =
  (...events: string[]): Connection =>
  (response) =>
    response.writeHead(200, { 'content-type': 'text/event-stream' }).end(events.join(''))
const refuses =
  (status: number): Connection =>
  (response) =>
    response
      .writeHead(status, { 'content-type': 'application/problem+json' })
      .end(JSON.stringify({ type: 'about:blank', title: `status ${status}`, status, code: 'some_code' }))

/** The first views of a server that handles its nth connection with the nth function. */
async function views(count: number, ...connections: Connection[]): Promise<LiveView[]> {
  let next = 0
  const server = await serveLoopback((request, response) => {
    const handle = connections[next++]
    if (handle) handle(response)
    else request.socket.destroy()
  })
  const all: LiveView[] = []
  for await (const view of liveFleet(
    createClient({ server, token: 't' }),
    undefined,
    new AbortController().signal,
  )) {
    all.push(view)
    if (all.length === count) break
  }
  return all
}
const told = ({ edges, stale }: LiveView) => ({
  edges: edges.map(({ id, cached }) => `${id} ${cached}`),
  stale: stale !== undefined,
})

test('a view is the fleet with every change so far, and a large fleet is shown when it is complete', async () => {
  const [first, second] = await views(
    2,
    streams(fleet('fleet', 2, edge('a')), fleet('tick', 2, edge('b')), fleet('tick', 2, edge('a', 7))),
  )
  assert.deepEqual(told(first!), { edges: ['a 0', 'b 0'], stale: false })
  assert.deepEqual(told(second!), { edges: ['a 7', 'b 0'], stale: false })
})

test('an edge that left the fleet is not in the view', async () => {
  const [, second] = await views(
    2,
    streams(
      fleet('fleet', 2, edge('a'), edge('b')),
      event('tick', { at, total: 1, edges: [edge('b', 1)], gone: ['a'] }),
    ),
  )
  assert.deepEqual(told(second!), { edges: ['b 1'], stale: false })
})

test('a lost connection makes the view stale, and the next one makes it live again', async () => {
  const all = await views(
    3,
    streams(fleet('fleet', 2, edge('a'), edge('b'))),
    streams(fleet('fleet', 1, edge('b', 3))),
  )
  assert.deepEqual(all.map(told), [
    { edges: ['a 0', 'b 0'], stale: false },
    { edges: ['a 0', 'b 0'], stale: true },
    { edges: ['b 3'], stale: false },
  ])
  assert.equal(all[0]?.at, all[1]?.at, 'it says since when')
})

test('the request is repeated if control is busy or has no Postgres', async () => {
  const before = streams(fleet('fleet', 1, edge('a')))
  const all = await views(5, before, refuses(503), refuses(429), streams(fleet('fleet', 1, edge('a', 1))))
  assert.deepEqual(
    all.map(({ stale }) => stale),
    [undefined, 'the server closed the stream', 'status 503', 'status 429', undefined],
  )
})

test('a token that is no longer valid ends the view', async () => {
  await assert.rejects(
    views(3, streams(fleet('fleet', 1, edge('a'))), refuses(401)),
    (error) => error instanceof ProblemError && error.status === 401,
  )
})

test('without a first view, an unreachable server is reported immediately', async () => {
  await assert.rejects(views(1), (error) => error instanceof NoAnswerError && error.kind === 'network')
})
