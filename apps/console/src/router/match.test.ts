import assert from 'node:assert/strict'
import { test } from 'node:test'
import { match } from './match.ts'

test('a path matches part by part, and names in it are decoded', () => {
  assert.deepEqual(match('/', '/'), {})
  assert.deepEqual(match('/audit', '/audit'), {})
  assert.deepEqual(match('/audit', '/audit/'), {})
  assert.deepEqual(match('/edges/:id', '/edges/eu-1'), { id: 'eu-1' })
  assert.deepEqual(match('/users/:user', '/users/a%2Fb%40c'), { user: 'a/b@c' })
})

test('another path, a missing name, and a badly encoded name do not match', () => {
  assert.equal(match('/audit', '/'), undefined)
  assert.equal(match('/edges/:id', '/edges'), undefined)
  assert.equal(match('/edges/:id', '/edges/'), undefined)
  assert.equal(match('/edges/:id', '/edges/eu-1/more'), undefined)
  assert.equal(match('/edges/:id', '/edges/%zz'), undefined)
})
