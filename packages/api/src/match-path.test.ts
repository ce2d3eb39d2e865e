import assert from 'node:assert/strict'
import { test } from 'node:test'
import { matchPath } from './match-path.ts'

test('a path matches part by part, and names in it are decoded', () => {
  assert.deepEqual(matchPath('/', '/'), {})
  assert.deepEqual(matchPath('/audit', '/audit'), {})
  assert.deepEqual(matchPath('/audit', '/audit/'), {})
  assert.deepEqual(matchPath('/edges/:id', '/edges/eu-1'), { id: 'eu-1' })
  assert.deepEqual(matchPath('/users/:user', '/users/a%2Fb%40c'), { user: 'a/b@c' })
})

test('another path, a missing name, and a badly encoded name do not match', () => {
  assert.equal(matchPath('/audit', '/'), undefined)
  assert.equal(matchPath('/edges/:id', '/edges'), undefined)
  assert.equal(matchPath('/edges/:id', '/edges/'), undefined)
  assert.equal(matchPath('/edges/:id', '/edges/eu-1/more'), undefined)
  assert.equal(matchPath('/edges/:id', '/edges/%zz'), undefined)
})
