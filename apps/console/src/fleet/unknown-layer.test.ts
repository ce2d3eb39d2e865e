import assert from 'node:assert/strict'
import { test } from 'node:test'
import { unknownLayer } from './unknown-layer.ts'

test('a layer of an edge or a region that the fleet does not have is named', () => {
  const edges = [{ id: 'eu-1', region: 'eu' }]
  assert.equal(unknownLayer({ kind: 'global' }, []), undefined)
  assert.equal(unknownLayer({ kind: 'edge', name: 'eu-1' }, edges), undefined)
  assert.equal(unknownLayer({ kind: 'region', name: 'eu' }, edges), undefined)
  assert.match(unknownLayer({ kind: 'edge', name: 'eu' }, edges) ?? '', /^No edge is named eu\./)
  assert.match(
    unknownLayer({ kind: 'region', name: 'eu-1' }, edges) ?? '',
    /^No edge is in the region eu-1\./,
  )
})
