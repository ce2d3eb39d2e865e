import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { withPages } from './page-names.ts'

test('messages of control name pages instead of routes', () => {
  assert.equal(
    withPages('No edge is named eu-9: GET /v1/edges lists all edges.'),
    'No edge is named eu-9: the page Overview lists all edges.',
  )
  assert.equal(
    withPages('Revision 3 is being rolled out: POST /v1/rollouts/3/abort rolls it back.'),
    'Revision 3 is being rolled out: Abort on its page rolls it back.',
  )
  assert.equal(
    withPages('wait until it ends, or abort it (POST /v1/operations/b1-2/abort). Then try again.'),
    'wait until it ends, or abort it. Then try again.',
  )
  assert.equal(withPages('No answer from GET /v1/nothing'), 'No answer from GET /v1/nothing')
})

test('every route that a message of control names has a page', () => {
  const features = new URL('../../../control/src/features/', import.meta.url)
  const named = readdirSync(features, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .flatMap(
      (name) => readFileSync(new URL(name, features), 'utf8').match(/GET \/v1\/[\w/-]+(?= lists)/g) ?? [],
    )
  assert.ok(named.length > 8, `${named.length}`)
  for (const route of named) assert.match(withPages(route), /^the page /, route)
})
