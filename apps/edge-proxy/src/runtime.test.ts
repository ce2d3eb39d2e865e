import assert from 'node:assert/strict'
import { test } from 'node:test'
import { delay, replaceRuntime, runtime } from './runtime.ts'

test('a delay ends when its signal is aborted, also if it was aborted before', async () => {
  const stopping = new AbortController()
  const waiting = delay(600_000, stopping.signal)
  stopping.abort()
  await waiting
  await delay(600_000, stopping.signal)
})

test('a delay ends after its time, and leaves no timer', async () => {
  const timers = new Set<object>()
  const restore = replaceRuntime({
    ...runtime,
    after(ms, callback) {
      const timer = setTimeout(() => (timers.delete(timer), callback()), ms)
      timers.add(timer)
      return timer
    },
  })
  try {
    await delay(1, new AbortController().signal)
    assert.equal(timers.size, 0)
  } finally {
    restore()
  }
})

test('random names have 96 bits and differ, also across batches', () => {
  const names = Array.from({ length: 1100 }, () => runtime.randomName())
  assert.ok(names.every((name) => /^[0-9a-f]{24}$/.test(name)))
  assert.equal(new Set(names).size, names.length)
})
