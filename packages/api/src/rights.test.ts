import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mayUse, roles } from './rights.ts'
import type { LimitedBy } from './route.ts'

test('a role includes those before it', () => {
  const allowed = roles.map((role) =>
    roles.filter((needed) => mayUse({ role, limits: {} }, { role: needed, limits: 'none' })),
  )
  assert.deepEqual(allowed, [['viewer'], ['viewer', 'operator'], ['viewer', 'operator', 'admin']])
})

test('a route without a role is for everyone', () => {
  const limits = { regions: ['eu'], domains: ['example.org'] }
  assert.equal(mayUse({ role: 'viewer', limits }, { role: 'none', limits: 'unlimited-only' }), true)
})

test('limits that a route does not take into account exclude from it', () => {
  const allowed = (limits: object) =>
    (['none', 'both', 'region', 'domain', 'unlimited-only'] satisfies LimitedBy[]).filter((limitedBy) =>
      mayUse({ role: 'admin', limits }, { role: 'viewer', limits: limitedBy }),
    )
  assert.deepEqual(allowed({}), ['none', 'both', 'region', 'domain', 'unlimited-only'])
  assert.deepEqual(allowed({ regions: ['eu'] }), ['none', 'both', 'region'])
  assert.deepEqual(allowed({ domains: ['example.org'] }), ['none', 'both', 'domain'])
  assert.deepEqual(allowed({ regions: ['eu'], domains: ['example.org'] }), ['none', 'both'])
})
