import assert from 'node:assert/strict'
import { test } from 'node:test'
import { worstFirst } from './worst-first.ts'

test('edges that refused or did not answer come first, and numbers in names count as numbers', () => {
  const edges = ['applied', 'applied', 'pending', 'silent', 'rejected'].map((status, index) => ({
    id: `eu-${10 - index}`,
    status,
  }))
  assert.deepEqual(
    worstFirst(edges).map(({ id, status }) => `${id} ${status}`),
    ['eu-6 rejected', 'eu-7 silent', 'eu-8 pending', 'eu-9 applied', 'eu-10 applied'],
  )
  const answers = ['answered', 'silent', 'failed'].map((status) => ({ id: status, status }))
  assert.deepEqual(
    worstFirst(answers).map(({ id }) => id),
    ['failed', 'silent', 'answered'],
  )
})
