import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Linked } from '../linked-members.ts'
import { CoarseTimeouts } from './coarse-timeouts.ts'

class Item extends Linked<Item> {
  readonly expired = Promise.withResolvers<void>()
  readonly name: string

  constructor(name: string) {
    super()
    this.name = name
  }
}

const item = (name: string) => new Item(name)

/** Timeouts, and the names of the items that have expired. */
function timeoutsAndNames(): { timeouts: CoarseTimeouts<Item>; names: string[] } {
  const names: string[] = []
  const timeouts = new CoarseTimeouts<Item>(({ name, expired }) => {
    names.push(name)
    expired.resolve()
  })
  return { timeouts, names }
}

test('items expire in the order of their times, never early, and only once', async () => {
  const { timeouts, names } = timeoutsAndNames()
  const late = item('late')
  const soon = item('soon')
  const startedAt = performance.now()
  timeouts.add(late, 200)
  timeouts.add(soon, 20)
  await soon.expired.promise
  assert.ok(performance.now() - startedAt >= 20)
  await late.expired.promise
  assert.ok(performance.now() - startedAt >= 200)
  assert.deepEqual(names, ['soon', 'late'])
})

test('a removed item does not expire, and an item that is added later does', async () => {
  const { timeouts, names } = timeoutsAndNames()
  const removed = item('removed')
  timeouts.add(removed, 10)
  timeouts.remove(removed)
  const other = item('other')
  timeouts.add(other, 60)
  await other.expired.promise
  const later = item('later')
  timeouts.add(later, 1)
  await later.expired.promise
  assert.deepEqual(names, ['other', 'later'])
})
