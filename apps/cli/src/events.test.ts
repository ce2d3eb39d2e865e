import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readEvents, type ServerEvent } from './events.ts'

const text =
  ': hello\n\nevent: line\nid: 1\ndata: {"text":"Zoë 山"}\n\n: ping\n\nevent: edge\r\ndata: a\r\ndata: b\r\n\r\nevent: end\ndata:\n\n'

const streamOf = (...chunks: Uint8Array[]) => ReadableStream.from<Uint8Array>(chunks)

async function collect(events: AsyncIterable<ServerEvent>): Promise<ServerEvent[]> {
  const all: ServerEvent[] = []
  for await (const event of events) all.push(event)
  return all
}

test('events are read completely, however the stream is cut', async () => {
  const bytes = new TextEncoder().encode(text)
  const whole = await collect(readEvents(streamOf(bytes)))
  assert.deepEqual(
    whole.map(({ event, data, id }) => [event, data, id]),
    [
      ['line', '{"text":"Zoë 山"}', '1'],
      ['edge', 'a\nb', undefined],
      ['end', '', undefined],
    ],
  )
  for (let cut = 0; cut <= bytes.length; cut += 1)
    assert.deepEqual(
      await collect(readEvents(streamOf(bytes.subarray(0, cut), bytes.subarray(cut)))),
      whole,
      `cut at ${cut}`,
    )
  assert.deepEqual(
    await collect(readEvents(streamOf(...Array.from(bytes, (byte) => Uint8Array.of(byte))))),
    whole,
  )
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
  await assert.rejects(collect(readEvents(endless)), /too large/)
  assert.ok(sent < 4_000_000)
})

test('a stream that is silent for too long is closed', async () => {
  const { promise: cancelled, resolve } = Promise.withResolvers<void>()
  const silent = new ReadableStream<Uint8Array>({ cancel: () => resolve() })
  await assert.rejects(collect(readEvents(silent, 20)), /sent nothing for/)
  await cancelled
})
