import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { commandFor, routesIn, withCommands } from './hints.ts'

const control = join(import.meta.dirname, '../../control/src')

test('every route that a message of control names has a command', () => {
  const named = globSync('**/*.ts', { cwd: control })
    .filter((file) => !file.includes('.test'))
    .flatMap((file) => readFileSync(join(control, file), 'utf8').split('\n'))
    .filter((line) => !/^\s*(\/\/|\/?\*)/.test(line))
    .flatMap((line) => line.replaceAll(/\$\{\w+\}/g, '17').match(routesIn) ?? [])
  assert.ok(named.length > 10)
  for (const route of named) assert.notEqual(commandFor(route), undefined, route)
})

test('a route in a message becomes the command', () => {
  assert.equal(
    withCommands('No edge is named x: GET /v1/edges lists all edges.'),
    'No edge is named x: `imapfleet edges` lists all edges.',
  )
  assert.equal(
    withCommands('abort it (POST /v1/rollouts/17/abort), which takes effect at once'),
    'abort it (`imapfleet rollouts abort 17`), which takes effect at once',
  )
  assert.equal(
    withCommands('abort it (POST /v1/operations/0a-9d/abort).'),
    'abort it (`imapfleet operations abort 0a-9d`).',
  )
  for (const other of ['GET /v1/unknown', 'GET /v1/constructor', 'nothing'])
    assert.equal(withCommands(other), other)
})
