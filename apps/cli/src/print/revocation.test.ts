import assert from 'node:assert/strict'
import { test } from 'node:test'
import { whatIsMissing } from './revocation.ts'

test('a revocation is complete only when every edge has applied it, and missing edges are named', () => {
  const region = 'eu'
  const applied = { id: 'eu-1', region, status: 'applied' } as const
  assert.equal(whatIsMissing({ edges: [applied] }), undefined)
  assert.equal(
    whatIsMissing({
      edges: [applied, { id: 'eu-2', region, status: 'pending' }, { id: 'eu-3', region, status: 'silent' }],
    }),
    'eu-2 has not applied it yet; eu-3 is silent and will apply it when it returns',
  )
})
