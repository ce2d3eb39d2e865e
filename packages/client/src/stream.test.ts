import assert from 'node:assert/strict'
import { test } from 'node:test'
import { problemDetailsSchema } from '@imapfleet/api'
import { z } from 'zod'
import { clientOf } from './client.ts'
import { breakOff, refuse, serveInTurn, type Responder } from './loopback.test-support.ts'
import { readEvents } from './read-stream.ts'

const table = {
  follow: {
    method: 'GET',
    path: '/v1/things/{id}/live',
    params: z.object({ id: z.string() }),
    events: { line: z.object({ text: z.string() }), end: z.object({}) },
  },
} as const
const contract = { routes: table, problem: problemDetailsSchema }

const event = (name: string, data: unknown, id = '') =>
  `event: ${name}\n${id && `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`
const events =
  (
    text: string,
    then: (response: Parameters<Responder>[0]) => void = (response) => response.end(),
  ): Responder =>
  (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(text, () => then(response))
  }
const line = (text: string, id?: string) => event('line', { text }, id)

const pauses = { firstMs: 1, lastMs: 1 }

async function follow(server: URL, options: { signal?: AbortSignal; silenceMs?: number } = {}) {
  const client = clientOf(contract, { server, token: 't' })
  const seen: string[] = []
  for await (const update of client.stream('follow', { params: { id: 'a' }, pauses, ...options }))
    seen.push(
      update.kind === 'lost'
        ? `lost: ${update.error.message}`
        : update.kind === 'event' && update.name === 'line'
          ? update.data.text
          : update.kind,
    )
  return seen
}

test('events come in order until the end; unknown ones are skipped', async () => {
  const { server } = await serveInTurn(
    events(line('one') + event('newer', 5) + line('two') + event('end', {})),
  )
  assert.deepEqual(await follow(server), ['open', 'one', 'two', 'event'])
})

test('a lost connection is resumed after the last event, also if that event was sent before a silent reconnect', async () => {
  const { server, asked } = await serveInTurn(
    events(line('one', '41'), (response) => response.destroy()),
    breakOff,
    events(line('two', '42') + event('end', {})),
  )
  const seen = await follow(server)
  assert.deepEqual(
    seen.map((text) => text.replace(/:.*/, '')),
    ['open', 'one', 'lost', 'lost', 'open', 'two', 'event'],
  )
  assert.deepEqual(
    asked.map(({ headers }) => headers['last-event-id']),
    [undefined, '41', '41'],
  )
})

test('a stream that ends without the event end is opened again', async () => {
  const { server } = await serveInTurn(events(''), events(event('end', {})))
  assert.deepEqual(await follow(server), ['open', 'lost: the server closed the stream', 'open', 'event'])
})

test('a silent connection is closed and opened again', async () => {
  const { server } = await serveInTurn(
    events(line('one'), () => undefined),
    events(event('end', {})),
  )
  assert.deepEqual(await follow(server, { silenceMs: 30 }), [
    'open',
    'one',
    'lost: the server sent nothing for 0.03 s',
    'open',
    'event',
  ])
})

test('the request is repeated if control is busy or has no Postgres, and a refusal ends the stream', async () => {
  const { server } = await serveInTurn(
    refuse(503, 'database_unavailable'),
    refuse(429, 'too_many'),
    events(event('end', {})),
  )
  assert.deepEqual(await follow(server), [
    'lost: Title of database_unavailable',
    'lost: Title of too_many',
    'open',
    'event',
  ])
  const refusing = await serveInTurn(events(line('one')), refuse(401, 'token_invalid'))
  await assert.rejects(follow(refusing.server), { code: 'token_invalid', status: 401 })
  assert.equal(refusing.asked.length, 2)
})

test('an event that does not match its schema ends the stream', async () => {
  for (const data of ['{', '{"at":1}', '"text"']) {
    const { server } = await serveInTurn(events(`event: line\ndata: ${data}\n\n`))
    await assert.rejects(follow(server), /cannot parse/)
  }
})

test('a signal ends the stream at once: while it is silent, and in a pause', async () => {
  const silent = await serveInTurn(events(line('one'), () => undefined))
  const away = await serveInTurn(breakOff)
  for (const [{ server }, last] of [
    [silent, 'event'],
    [away, 'lost'],
  ] as const) {
    const stop = new AbortController()
    const given = { params: { id: 'a' }, signal: stop.signal, pauses: { firstMs: 60_000, lastMs: 60_000 } }
    for await (const { kind } of clientOf(contract, { server, token: 't' }).stream('follow', given))
      if (kind === last) stop.abort()
  }
})

const text =
  ': hello\n\nevent: line\nid: 1\ndata: {"text":"Zoë 山"}\n\n: ping\n\nevent: edge\r\ndata: a\r\ndata: b\r\n\r\nevent: end\ndata:\n\n'
const streamOf = (...chunks: Uint8Array[]) => ReadableStream.from<Uint8Array>(chunks)
const read = (stream: ReadableStream<Uint8Array>, silenceMs = 60_000) =>
  Array.fromAsync(readEvents(stream, silenceMs))

test('events are read completely, however the stream is cut', async () => {
  const bytes = new TextEncoder().encode(text)
  const whole = await read(streamOf(bytes))
  assert.deepEqual(
    whole.map(({ event: name, data, id }) => [name, data, id]),
    [
      ['line', '{"text":"Zoë 山"}', '1'],
      ['edge', 'a\nb', undefined],
      ['end', '', undefined],
    ],
  )
  for (let cut = 0; cut <= bytes.length; cut += 1)
    assert.deepEqual(
      await read(streamOf(bytes.subarray(0, cut), bytes.subarray(cut))),
      whole,
      `cut at ${cut}`,
    )
  assert.deepEqual(await read(streamOf(...Array.from(bytes, (byte) => Uint8Array.of(byte)))), whole)
})

test('an endless event is refused before it fills the memory', async () => {
  const chunk = new TextEncoder().encode(`data: ${'x'.repeat(65_536)}\n`)
  let sent = 0
  const endless = new ReadableStream<Uint8Array>({
    pull: (controller) => {
      sent += chunk.length
      controller.enqueue(chunk)
    },
  })
  await assert.rejects(read(endless), /too large/)
  assert.ok(sent < 4_000_000)
})

test('a stream that is silent for too long releases its connection', async () => {
  const { promise: cancelled, resolve } = Promise.withResolvers<void>()
  const silent = new ReadableStream<Uint8Array>({ cancel: () => resolve() })
  await assert.rejects(read(silent, 20), /sent nothing for/)
  await cancelled
})

const closed = (status: number, code: string) =>
  event('closed', { type: 'about:blank', title: code, status, code, detail: `Detail of ${code}` })

test('a refusal in the middle of a stream is reported like any other, and the stream is not opened again', async () => {
  const { server, asked } = await serveInTurn(events(line('one') + closed(401, 'token_invalid')))
  await assert.rejects(follow(server), { name: 'ProblemError', code: 'token_invalid', status: 401 })
  assert.equal(asked.length, 1)
})

test('a stream that control closes for a temporary reason is resumed', async () => {
  const { server, asked } = await serveInTurn(
    events(line('one', '1') + closed(503, 'database_unavailable')),
    events(line('two') + event('end', {})),
  )
  assert.deepEqual(await follow(server), [
    'open',
    'one',
    'lost: Detail of database_unavailable',
    'open',
    'two',
    'event',
  ])
  assert.equal(asked[1]?.headers['last-event-id'], '1')
})
