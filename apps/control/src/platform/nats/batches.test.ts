import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Batches } from './batches.ts'

test('messages that arrive during a batch are the next batch, in order and within the limit', async () => {
  const batches = new Batches<number>({ sizeMax: 3 })
  const seen: number[][] = []
  batches.push(1)
  for await (const batch of batches) {
    seen.push(batch)
    if (seen.length === 1) for (const n of [2, 3, 4, 5]) batches.push(n)
    if (seen.length === 2) batches.end()
  }
  assert.deepEqual(seen, [[1], [2, 3, 4], [5]])
})

test('a message is delivered immediately if no batch is being processed', async () => {
  const batches = new Batches<number>({ sizeMax: 3 })
  const next = batches[Symbol.asyncIterator]().next()
  batches.push(7)
  assert.deepEqual(await next, { done: false, value: [7] })
})

test('an error is delivered after the messages before it', async () => {
  const batches = new Batches<number>({ sizeMax: 3 })
  batches.push(1)
  batches.end(new Error('gone'))
  const iterator = batches[Symbol.asyncIterator]()
  assert.deepEqual(await iterator.next(), { done: false, value: [1] })
  await assert.rejects(iterator.next(), /gone/)
})

test('over the limit the oldest messages are dropped, and undelivered ones can be taken back', () => {
  const batches = new Batches<number>({ sizeMax: 3, waitingMax: 2 })
  for (const n of [1, 2, 3]) batches.push(n)
  assert.deepEqual(batches.rest(), [2, 3])
  assert.deepEqual(batches.rest(), [])
})

test('messages shortly after a batch are gathered, but a full batch or an end is delivered immediately', async () => {
  const batches = new Batches<number>({ sizeMax: 3, gatherMs: 60_000 })
  const iterator = batches[Symbol.asyncIterator]()
  batches.push(1)
  assert.deepEqual((await iterator.next()).value, [1])
  const full = iterator.next()
  for (const n of [2, 3, 4]) batches.push(n)
  assert.deepEqual((await full).value, [2, 3, 4])
  const last = iterator.next()
  batches.push(5)
  await Promise.resolve()
  batches.end()
  assert.deepEqual((await last).value, [5])
})

test('gathering ends after its time', async () => {
  const batches = new Batches<number>({ sizeMax: 3, gatherMs: 20 })
  const iterator = batches[Symbol.asyncIterator]()
  batches.push(1)
  await iterator.next()
  batches.push(2)
  const next = iterator.next()
  batches.push(3)
  assert.deepEqual((await next).value, [2, 3])
})

test('a batch that has enough messages does not wait, and neither does the next one', async () => {
  const batches = new Batches<number>({ sizeMax: 4, gatherMs: 60_000, enough: 2 })
  const iterator = batches[Symbol.asyncIterator]()
  batches.push(1)
  assert.deepEqual((await iterator.next()).value, [1])
  const next = iterator.next()
  for (const n of [2, 3]) batches.push(n)
  assert.deepEqual((await next).value, [2, 3])
  batches.push(4)
  assert.deepEqual((await iterator.next()).value, [4])
})
