import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { Linked, LinkedMap, LinkedSet } from './linked-members.ts'

class Item extends Linked<Item> {
  readonly name: number

  constructor(name: number) {
    super()
    this.name = name
  }
}

const items = () => Array.from({ length: 6 }, (_, name) => new Item(name))

test('a linked set holds the same members as a Set, in the same order', () => {
  const step = fc.tuple(fc.constantFrom('add', 'delete'), fc.nat({ max: 5 }))
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const all = items()
      const linked = new LinkedSet<Item>()
      const model = new Set<Item>()
      for (const [what, name] of steps) {
        const item = all[name]!
        if (what === 'add') {
          linked.add(item)
          model.add(item)
        } else assert.equal(linked.delete(item), model.delete(item))
        assert.deepEqual([...linked], [...model])
        assert.equal(linked.size, model.size)
        assert.equal(linked.first, [...model][0])
        for (const each of all) assert.equal(linked.has(each), model.has(each))
      }
    }),
  )
})

test('a linked map keeps a value for each member', () => {
  const [one, two] = items() as [Item, Item]
  const map = new LinkedMap<Item, string>()
  map.set(one, 'a')
  map.set(two, 'b')
  map.set(one, 'c')
  assert.deepEqual(
    [...map],
    [
      [one, 'c'],
      [two, 'b'],
    ],
  )
  assert.deepEqual([...map.keys()], [one, two])
  map.delete(one)
  assert.deepEqual([map.get(one), map.get(two), map.size], [undefined, 'b', 1])
})

test('members may be added and removed during the iteration', () => {
  const [one, two, three, four] = items() as [Item, Item, Item, Item]
  const set = new LinkedSet<Item>()
  for (const item of [one, two, three]) set.add(item)
  const read: Item[] = []
  for (const item of set) {
    read.push(item)
    set.delete(one)
    set.delete(two)
    set.add(four)
  }
  assert.deepEqual(read, [one, three])
  assert.deepEqual([...set], [three, four])
})

test('an object cannot be in two collections, and refers to no member after it was removed', () => {
  const [one, two, three] = items() as [Item, Item, Item]
  const [set, other] = [new LinkedSet<Item>(), new LinkedMap<Item, string>()]
  for (const item of [one, two, three]) set.add(item)
  assert.throws(() => other.set(two, 'a'), /two collections/)
  assert.equal(other.has(two), false)
  set.delete(two)
  const { memberOf, previousMember, nextMember, memberValue } = two
  assert.deepEqual([memberOf, previousMember, nextMember, memberValue], Array(4).fill(undefined))
  other.set(two, 'a')
  assert.equal(set.delete(two), false)
  assert.equal(other.get(two), 'a')
})
