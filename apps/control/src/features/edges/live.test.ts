import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LiveEdge } from '@imapfleet/api'
import { Changes } from './live.ts'

const edge = (id: string, region: string, cached = 0) => ({ id, region, cached }) as LiveEdge

const told = (changes: Changes, ...edges: LiveEdge[]) => {
  const { changed, gone } = changes.in(edges)
  return { changed: changed.map(({ id }) => id), gone, total: changes.total }
}

test('an edge is sent when it is new, changed, gone, or back', () => {
  const changes = new Changes(undefined)
  const [a, b] = [edge('a', 'eu'), edge('b', 'us')]
  assert.deepEqual(told(changes, a, b), { changed: ['a', 'b'], gone: [], total: 2 })
  assert.deepEqual(told(changes, a, edge('b', 'us', 1)), { changed: ['b'], gone: [], total: 2 })
  assert.deepEqual(told(changes, a), { changed: [], gone: ['b'], total: 1 })
  assert.deepEqual(told(changes, a), { changed: [], gone: [], total: 1 })
  assert.deepEqual(told(changes, a, edge('b', 'us', 1)), { changed: ['b'], gone: [], total: 2 })
})

test('an edge that moved to another region is gone from the view of its old region', () => {
  const changes = new Changes('eu')
  assert.deepEqual(told(changes, edge('a', 'eu'), edge('b', 'us')), { changed: ['a'], gone: [], total: 1 })
  assert.deepEqual(told(changes, edge('a', 'us'), edge('b', 'us')), { changed: [], gone: ['a'], total: 0 })
})
