import assert from 'node:assert/strict'
import { test } from 'node:test'
import { auditFacts } from './audit-facts.ts'

test('only what differs is said, with the value before', () => {
  assert.deepEqual(
    auditFacts({ enabled: true, threshold: 90, note: 'x' }, { enabled: true, threshold: 80, note: '' }),
    ['threshold 90 → 80', 'note x → none'],
  )
})

test('what began and what ended is said with its fields, and empty fields are left out', () => {
  assert.deepEqual(
    auditFacts(null, { role: 'viewer', scopes: [], edges: ['eu-1', 'eu-2'], expiresAt: null }),
    ['role viewer', 'edges eu-1, eu-2'],
  )
  assert.deepEqual(auditFacts({ key: 'UA', region: 'eu' }, null), ['key UA', 'region eu'])
  assert.deepEqual(auditFacts(null, null), [])
})

test('what has fields of its own is said in words, and numbers that only control uses are left out', () => {
  assert.deepEqual(
    auditFacts(null, { limits: { regions: ['ap', 'eu'], domains: [] }, enabled: true, count: 3 }),
    ['limits regions ap, eu', 'enabled true', 'count 3'],
  )
  assert.deepEqual(auditFacts({ limits: { regions: ['ap'] } }, { limits: { domains: ['a.org'], x: null } }), [
    'limits regions ap → domains a.org',
  ])
  assert.deepEqual(auditFacts(null, { sequence: 1_796_117_073_808_046, reached: 2 }), ['reached 2'])
})
