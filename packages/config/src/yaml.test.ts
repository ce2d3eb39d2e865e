import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { parseValue } from './yaml.ts'

/** Any UTF-16 at all, control characters and lone surrogates included. */
const anyText = fc.array(fc.nat(0xffff)).map((units) => String.fromCharCode(...units))

test('a typed value has the type that YAML gives it', () => {
  assert.equal(parseValue('60000'), 60_000)
  assert.equal(parseValue('true'), true)
  assert.equal(parseValue('yes'), 'yes')
  assert.equal(parseValue('"60000"'), '60000')
  assert.deepEqual(parseValue('[10.0.0.0/8, ::1]'), ['10.0.0.0/8', '::1'])
  assert.deepEqual(parseValue('{ port: 143 }'), { port: 143 })
  assert.equal(parseValue('null'), null)
})

test('comments, aliases and other YAML syntax stay text', () => {
  for (const text of [
    '*@example.org',
    '#1',
    'pass #word',
    '&x',
    '@home',
    '[',
    '"',
    'a: b: c',
    '*a',
    '`',
    '%x',
  ])
    assert.equal(parseValue(text), text)
})

test('parsing never throws, whatever is typed', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      assert.doesNotThrow(() => JSON.stringify(parseValue(text)))
    }),
    { seed: 20_260_104, numRuns: 300 },
  )
})
