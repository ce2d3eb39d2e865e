import assert from 'node:assert/strict'
import { test } from 'node:test'
import { offeredFor, unknownEdgesIn, toggled, type MeantEdge } from './canary-edges.ts'

const edge = (id: string): MeantEdge => ({ id, region: id.slice(0, 2), status: 'pending', reason: null })
const edges = ['eu-1', 'eu-2', 'us-1'].map(edge)
const offered = (text: string) => offeredFor(text, edges).edges.map(({ id }) => id)

test('only names that are not edges are reported', () => {
  assert.equal(unknownEdgesIn(' eu-1, us-1 ', edges), undefined)
  assert.equal(unknownEdgesIn('', edges), undefined)
  assert.equal(
    unknownEdgesIn('eu-1 us-9', edges),
    'us-9 is not an edge of this layer: choose from the list below.',
  )
  assert.equal(
    unknownEdgesIn('us-9 eu eu', edges),
    'us-9, eu are not edges of this layer: choose from the list below.',
  )
  assert.equal(unknownEdgesIn('us-9', undefined), undefined, 'while the edges are not loaded')
})

test('edges that match the last word are offered, or all if none matches', () => {
  assert.deepEqual(offered(''), ['eu-1', 'eu-2', 'us-1'])
  assert.deepEqual(offered('us-1 eu'), ['eu-1', 'eu-2'])
  assert.deepEqual(offered('eu us-1'), ['eu-1', 'eu-2', 'us-1'])
  assert.deepEqual(offered('asia'), ['eu-1', 'eu-2', 'us-1'])
})

test('of a large fleet some edges are offered, with the number of the others', () => {
  const many = Array.from({ length: 1000 }, (_, number) => edge(`eu-${number}`))
  const all = offeredFor('', many)
  assert.equal(all.edges.length + all.more, 1000)
  assert.ok(all.edges.length < 100)
  assert.deepEqual(
    offeredFor('u-99', many).edges.map(({ id }) => id),
    ['eu-99', ...Array.from({ length: 10 }, (_, number) => `eu-99${number}`)],
  )
})

test('a checkbox replaces the typed part by the edge, or removes the edge', () => {
  assert.equal(toggled('', 'eu-1', edges), 'eu-1')
  assert.equal(toggled('us-1', 'eu-1', edges), 'us-1 eu-1')
  assert.equal(toggled('us-1, eu', 'eu-2', edges), 'us-1 eu-2')
  assert.equal(toggled('asia', 'eu-2', edges), 'asia eu-2')
  assert.equal(toggled('us-1 eu-2', 'us-1', edges), 'eu-2')
})
