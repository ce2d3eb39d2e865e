import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import type { JsonValue, Layer } from './layer.ts'
import { parseValue, printYaml, readYaml } from './yaml.ts'

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

const anyValue: fc.Arbitrary<JsonValue> = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom<JsonValue>('yes', 'null', '~', '1e3', '0x1', '- a', '# a', 'a: b', '', ' a ', null, true),
    fc.string({ unit: 'binary' }),
    fc.integer(),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.stringMatching(/^[a-z_]{1,4}$/), tie('value'), { maxKeys: 3, noNullPrototype: true }),
  ),
})).value
const anyLayer = fc.dictionary(fc.stringMatching(/^[a-z]{1,4}$/), anyValue, {
  maxKeys: 4,
  noNullPrototype: true,
})

test('a printed layer is read back, whatever its values are', () => {
  fc.assert(
    fc.property(anyLayer, (layer) => {
      const read = readYaml(printYaml(layer))
      assert.deepEqual(read.ok && read.data, layer)
    }),
    { seed: 20_261_128, numRuns: 500 },
  )
})

/** The same values, with the keys of every object in the reverse order. */
const reversed = (value: JsonValue): JsonValue =>
  Array.isArray(value)
    ? value.map(reversed)
    : typeof value === 'object' && value !== null
      ? Object.fromEntries(
          Object.entries(value)
            .toReversed()
            .map(([key, at]) => [key, reversed(at)]),
        )
      : value

test('the printed text does not depend on the order of the keys', () => {
  fc.assert(
    fc.property(anyLayer, (layer) => {
      assert.equal(printYaml(reversed(layer) as Layer), printYaml(layer))
    }),
    { seed: 20_261_128, numRuns: 200 },
  )
  assert.equal(
    printYaml({ routes: [{ upstream: 'main', domain: 'example.org' }], pool: { usesMax: 5, isOn: true } }),
    'pool:\n  isOn: true\n  usesMax: 5\nroutes:\n  - domain: example.org\n    upstream: main\n',
  )
})

test('control characters in a value are escaped, so that the text is safe on a terminal', () => {
  const layer = { a: 'x\u001b[31m', b: 'two\nlines\u0007', c: 'left\u202eright', d: 'zero\u200bwidth' }
  const text = printYaml(layer)
  assert.doesNotMatch(text, /[\u001b\u202e\u0007\u200b]/)
  const read = readYaml(text)
  assert.deepEqual(read.ok && read.data, layer)
})

test('a second document is a mistake at its line, in words for an operator', () => {
  const read = readYaml('a: 1\n---\nb: 2\n')
  assert.deepEqual(!read.ok && read.problems, [
    { key: '', message: 'a second document begins here; write one, without lines of ---', line: 2 },
  ])
})
