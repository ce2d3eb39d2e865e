import assert from 'node:assert/strict'
import { test } from 'node:test'
import { edgeListSchema, revisionStatusSchema, traceListSchema } from '@imapfleet/api'
import { callerOf } from './call.ts'
import { serveLoopback } from './loopback.test-support.ts'

const edges = JSON.stringify({ edges: [] })

/** The request that the server received. */
async function asked(prefix: string, ask: (call: ReturnType<typeof callerOf>['call']) => Promise<unknown>) {
  const seen: string[] = []
  const server = await serveLoopback((request, response) => {
    seen.push(`${request.method} ${request.url}`)
    request.on('data', (chunk: Buffer) => seen.push(chunk.toString()))
    request.on('end', () => response.end(edges))
  })
  await ask(callerOf({ server: new URL(prefix, server), token: 'abc' }).call).catch(() => undefined)
  return seen
}

test('a route becomes a request with its path, query and body', async () => {
  const target = { kind: 'region', name: 'eu' } as const
  assert.deepEqual(
    await asked('/', (call) => call('POST /v1/edges/drain', { body: { target } }, edgeListSchema)),
    ['POST /v1/edges/drain', JSON.stringify({ target })],
  )
  assert.deepEqual(
    await asked('/', (call) =>
      call('GET /v1/traces', { query: { limit: '5', before: undefined } }, traceListSchema),
    ),
    ['GET /v1/traces?limit=5'],
  )
})

test('a value in a path cannot change the rest of the path', async () => {
  const path = { revision: '7/restore?x=1#' }
  assert.deepEqual(
    await asked('/', (call) => call('GET /v1/config/revisions/{revision}', { path }, revisionStatusSchema)),
    ['GET /v1/config/revisions/7%2Frestore%3Fx%3D1%23'],
  )
})

test('the path of a server address is part of each request', async () => {
  assert.deepEqual(await asked('/fleet/', (call) => call('GET /v1/edges', {}, edgeListSchema)), [
    'GET /fleet/v1/edges',
  ])
})
