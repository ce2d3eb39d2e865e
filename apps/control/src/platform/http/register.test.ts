import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { route } from '@imapfleet/api'
import { Hono } from 'hono'
import { z } from 'zod'
import { ServiceError } from '../errors.ts'
import type { Env } from './handlers.ts'
import { onError } from './on-error.ts'
import { OpenStreams, streamsMax } from './open-streams.ts'
import { registerRoutes } from './register.ts'

const actor = { id: 'a', name: 'ann', role: 'viewer', scopes: [], limits: {} } as const
const routes = {
  follow: route({
    method: 'GET',
    path: '/v1/follow',
    tag: 'edges',
    summary: 'A stream',
    role: 'viewer',
    limits: 'none',
    events: { tick: z.object({}) },
    returns: 'Events',
  }),
}

suite('HEAD of a stream', () => {
  test('it takes no place, also while its handler waits, and what the handler began is ended', async () => {
    const streams = new OpenStreams(
      async (actors) => await Promise.resolve([...actors]),
      new AbortController().signal,
    )
    const explain = async (reason: unknown) => await Promise.resolve(reason as ServiceError)
    const app = new Hono<Env>().onError(onError(explain))
    const gate = Promise.withResolvers<void>()
    const signals: AbortSignal[] = []
    registerRoutes(
      app,
      routes,
      {
        async follow({ signal }) {
          signals.push(signal)
          await gate.promise
          return (async function* () {})()
        },
      },
      {
        middleware: [
          async (context, next) => {
            context.set('actor', actor)
            await next()
          },
        ],
        streams,
        once: async (_, run) => await run(),
        explain,
      },
    )
    const answers = Promise.all(
      Array.from({ length: streamsMax + 1 }, async () => await app.request('/v1/follow', { method: 'HEAD' })),
    )
    await setImmediate()
    assert.deepEqual([signals.length, streams.size], [streamsMax + 1, 0])
    gate.resolve()
    for (const { status, headers } of await answers)
      assert.deepEqual([status, headers.get('content-type')], [200, 'text/event-stream'])
    assert.ok(signals.every(({ aborted }) => aborted))
  })
})
