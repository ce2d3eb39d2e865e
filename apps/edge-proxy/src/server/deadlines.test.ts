import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Deadlines } from './deadlines.ts'

/** A limit that tells its name when it runs out. */
const limit = (told: string[], name: string) => {
  const { promise, resolve } = Promise.withResolvers<void>()
  return {
    out: promise,
    onDeadline() {
      told.push(name)
      resolve()
    },
  }
}

test('limits run out in the order of their times, never early, and only once', async () => {
  const deadlines = new Deadlines()
  const told: string[] = []
  const late = limit(told, 'late')
  const soon = limit(told, 'soon')
  const begun = performance.now()
  deadlines.add(late, 200)
  deadlines.add(soon, 20)
  await soon.out
  assert.ok(performance.now() - begun >= 20)
  await late.out
  assert.ok(performance.now() - begun >= 200)
  assert.deepEqual(told, ['soon', 'late'])
})

test('what was removed in time is told nothing, and a later limit is', async () => {
  const deadlines = new Deadlines()
  const told: string[] = []
  const removed = limit(told, 'removed')
  deadlines.add(removed, 10)
  deadlines.remove(removed)
  const kept = limit(told, 'kept')
  deadlines.add(kept, 60)
  await kept.out
  const again = limit(told, 'again')
  deadlines.add(again, 1)
  await again.out
  assert.deepEqual(told, ['kept', 'again'])
})
