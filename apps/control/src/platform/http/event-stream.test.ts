/** Streams over a real connection. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { suite, test } from 'node:test'
import type { HttpBindings } from '@hono/node-server'
import { Hono, type Context } from 'hono'
import { ServiceError } from '../errors.ts'
import { eventStream, lineStream } from './event-stream.ts'
import { serveHttp } from './listen.ts'
import { problemOf } from './on-error.ts'
import { OpenStreams, type RightsOf } from './open-streams.ts'

const actor = { id: 'a', name: 'ann', role: 'viewer', scopes: [], limits: {} } as const
const revoked = new ServiceError('token_invalid', 'This token was revoked: ask for a new one.')
const explain = async (reason: unknown) => await Promise.resolve(new ServiceError('internal', String(reason)))

/** One route on loopback. `revoke` takes the right to it away. */
async function serve(
  answer: (context: Context, stream: ReturnType<OpenStreams['open']>) => Response,
  use: (at: {
    url: string
    port: number
    streams: OpenStreams
    revoke: () => Promise<void>
  }) => Promise<void>,
): Promise<void> {
  let isRevoked = false
  const rightsOf: RightsOf = (actors) => Promise.resolve(actors.map((each) => (isRevoked ? revoked : each)))
  const streams = new OpenStreams(rightsOf, new AbortController().signal)
  const app = new Hono().get('/', (context) => answer(context, streams.open(actor, 'viewer')))
  const { port, stop } = await serveHttp(app.fetch, '127.0.0.1', 0)
  try {
    await use({
      url: `http://127.0.0.1:${port}/`,
      port,
      streams,
      revoke: async () => {
        isRevoked = true
        await streams.check()
      },
    })
  } finally {
    await stop()
  }
}

const untilEnded = async (signal: AbortSignal) => {
  if (!signal.aborted) await once(signal, 'abort')
}

suite('answers that stay open', () => {
  test('when the right is gone, the last event says so, and nothing is sent after it', async () => {
    await serve(
      (context, stream) =>
        eventStream(
          context,
          stream,
          explain,
          (async function* () {
            yield { event: 'tick', data: { at: 1 }, id: '7' }
            await untilEnded(stream.signal)
            yield { event: 'tick', data: { at: 2 } }
          })(),
        ),
      async ({ url, streams, revoke }) => {
        const response = await fetch(url)
        assert.equal(response.headers.get('content-type'), 'text/event-stream')
        const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
        let text = ''
        while (!text.includes('id: 7')) text += (await reader.read()).value
        await revoke()
        for (let part = await reader.read(); !part.done; part = await reader.read()) text += part.value
        assert.equal(
          text,
          ': listening\n\n' +
            'event: tick\ndata: {"at":1}\nid: 7\n\n' +
            `event: closed\ndata: ${JSON.stringify(problemOf(revoked))}\n\n`,
        )
        assert.equal(streams.size, 0)
      },
    )
  })

  test('a long answer of lines ends with a line that says why it is incomplete', async () => {
    await serve(
      (context, stream) =>
        lineStream(
          context,
          stream,
          explain,
          'application/jsonl',
          (async function* () {
            yield { kind: 'line', text: 'a' }
            await untilEnded(stream.signal)
          })(),
        ),
      async ({ url, revoke }) => {
        const response = await fetch(url)
        const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
        let text = (await reader.read()).value ?? ''
        await revoke()
        for (let part = await reader.read(); !part.done; part = await reader.read()) text += part.value
        assert.deepEqual(
          text
            .trimEnd()
            .split('\n')
            .map((line) => JSON.parse(line) as unknown),
          [
            { kind: 'line', text: 'a' },
            { kind: 'closed', ...problemOf(revoked) },
          ],
        )
      },
    )
  })

  test('a failure in the middle is told, too, and a complete answer has no last words', async () => {
    for (const [fails, whole] of [
      [true, /^{"kind":"line"}\n{"kind":"closed",.*"code":"internal".*}\n$/],
      [false, /^{"kind":"line"}\n$/],
    ] as const)
      await serve(
        (context, stream) =>
          lineStream(
            context,
            stream,
            explain,
            'application/jsonl',
            (async function* () {
              await Promise.resolve()
              yield { kind: 'line' }
              if (fails) throw new Error('NATS is gone')
            })(),
          ),
        async ({ url, streams }) => {
          const response = await fetch(url)
          assert.match(await response.text(), whole)
          assert.equal(streams.size, 0)
        },
      )
  })

  test('a client that does not read is disconnected when its right is gone', async () => {
    let sent = 0
    let outgoing: HttpBindings['outgoing'] | undefined
    await serve(
      (context, stream) => {
        outgoing = (context.env as HttpBindings).outgoing
        return eventStream(
          context,
          stream,
          explain,
          (async function* () {
            for (; ; sent++) yield await Promise.resolve({ event: 'line', data: 'x'.repeat(65_536) })
          })(),
        )
      },
      async ({ port, streams, revoke }) => {
        const socket = connect(port, '127.0.0.1')
        socket.pause()
        socket.on('error', () => {})
        socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n')
        // All buffers on the way are full when nothing is sent for many turns.
        for (let [before, turns] = [-1, 0]; turns < 200; turns = sent > before ? 0 : turns + 1) {
          before = sent
          await new Promise((resolve) => setImmediate(resolve))
        }
        const cut = once(outgoing!, 'close')
        await revoke()
        assert.equal(streams.size, 0)
        await cut
        const closed = once(socket, 'close')
        let received = ''
        socket.on('data', (chunk) => (received += chunk.toString('latin1')))
        socket.resume()
        await closed
        assert.doesNotMatch(received, /event: closed/)
      },
    )
  })

  test('a client that leaves frees its place', async () => {
    const { promise: ended, resolve } = Promise.withResolvers<void>()
    await serve(
      (context, stream) =>
        eventStream(
          context,
          stream,
          explain,
          (async function* () {
            yield { event: 'tick', data: {} }
            await untilEnded(stream.signal)
            resolve()
          })(),
        ),
      async ({ url, streams }) => {
        const leaving = new AbortController()
        const response = await fetch(url, { signal: leaving.signal })
        await response.body!.getReader().read()
        assert.equal(streams.size, 1)
        leaving.abort()
        await ended
        assert.equal(streams.size, 0)
      },
    )
  })
})
