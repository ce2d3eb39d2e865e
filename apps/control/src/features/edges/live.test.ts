import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LiveEdge } from '@imapfleet/api'
import { fleetOf, inParts } from './live-routes.ts'
import { noLimits } from '../../platform/access.ts'
import { Changes, LiveFeed, type ShownEdge } from './live.ts'

const edge = (id: string, region: string, cached = 0): ShownEdge => ({
  id,
  region,
  json: `{"cached":${cached}}`,
})

test('an edge is serialised once for all views, and a view gets only what changed', async () => {
  let serialised = 0
  let cached = 0
  const live = (id: string) => ({
    ...{ id, region: 'eu' },
    toJSON: () => {
      serialised++
      return { id, cached: id === 'a' ? cached : 0 }
    },
  })
  const feed = new LiveFeed(async () => ['a', 'b'].map(live) as unknown as LiveEdge[], Date.now)
  const stop = new AbortController()
  const views = [0, 1, 2].map(() => ({
    news: feed.news(stop.signal),
    changes: new Changes(noLimits, undefined),
  }))
  const sent = async () =>
    await Promise.all(
      views.map(async ({ news, changes }) => {
        const { value } = await news.next()
        assert.ok(value?.kind === 'edges')
        return inParts(changes.in(value.edges).changed).map(
          (part) => fleetOf(part, { at: 'now', total: 2 }).text,
        )
      }),
    )
  const all = '{"at":"now","total":2,"edges":[{"id":"a","cached":0},{"id":"b","cached":0}]}'
  assert.deepEqual([await sent(), serialised], [[[all], [all], [all]], 2])
  cached = 5
  const one = '{"at":"now","total":2,"edges":[{"id":"a","cached":5}]}'
  assert.deepEqual([await sent(), serialised], [[[one], [one], [one]], 4])
  stop.abort()
})

const told = (changes: Changes, ...edges: ShownEdge[]) => {
  const { changed, gone } = changes.in(edges)
  return { changed: changed.map(({ id }) => id), gone, total: changes.total }
}

test('an edge is sent when it is new, changed, gone, or back', () => {
  const changes = new Changes(noLimits, undefined)
  const [a, b] = [edge('a', 'eu'), edge('b', 'us')]
  assert.deepEqual(told(changes, a, b), { changed: ['a', 'b'], gone: [], total: 2 })
  assert.deepEqual(told(changes, a, edge('b', 'us', 1)), { changed: ['b'], gone: [], total: 2 })
  assert.deepEqual(told(changes, a), { changed: [], gone: ['b'], total: 1 })
  assert.deepEqual(told(changes, a), { changed: [], gone: [], total: 1 })
  assert.deepEqual(told(changes, a, edge('b', 'us', 1)), { changed: ['b'], gone: [], total: 2 })
})

test('an edge that moved to another region is gone from the view of its old region', () => {
  const changes = new Changes(noLimits, 'eu')
  assert.deepEqual(told(changes, edge('a', 'eu'), edge('b', 'us')), { changed: ['a'], gone: [], total: 1 })
  assert.deepEqual(told(changes, edge('a', 'us'), edge('b', 'us')), { changed: [], gone: ['a'], total: 0 })
})
