import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KeptValue } from './kept-value.ts'

function start() {
  let now = 0
  let reads = 0
  let next: () => Promise<string> = () => Promise.resolve('first')
  const kept = new KeptValue(
    () => {
      reads++
      return next()
    },
    5_000,
    () => now,
  )
  return {
    kept,
    reads: () => reads,
    pass: (ms: number) => (now += ms),
    answer: (read: () => Promise<string>) => (next = read),
  }
}

test('a value is read again only after its time', async () => {
  const { kept, reads, pass, answer } = start()
  assert.deepEqual([await kept.get(), await kept.get(), reads()], ['first', 'first', 1])
  answer(() => Promise.resolve('second'))
  pass(4_999)
  assert.equal(await kept.get(), 'first')
  pass(1)
  assert.deepEqual([await kept.get(), reads()], ['second', 2])
})

test('after a read that failed, the next caller reads again, and never gets an older value', async () => {
  const { kept, pass, answer } = start()
  await kept.get()
  pass(5_000)
  answer(() => Promise.reject(new Error('Postgres is down')))
  await assert.rejects(kept.get(), /Postgres is down/)
  await assert.rejects(kept.get(), /Postgres is down/)
  answer(() => Promise.resolve('after the outage'))
  assert.equal(await kept.get(), 'after the outage')
})

test('callers during a read wait for it, and get what it reads', async () => {
  const { kept, reads, answer } = start()
  const { promise, resolve } = Promise.withResolvers<string>()
  answer(() => promise)
  const waiting = [kept.get(), kept.get()]
  resolve('read')
  assert.deepEqual([await Promise.all(waiting), reads()], [['read', 'read'], 1])
})
