/** JSON from outside. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { parseJsonText } from './json-text.ts'

const json = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 6 },
    fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('"', '\\', '{"a":1,"a":2}', '__proto__'),
      fc.double(),
      fc.boolean(),
    ),
    fc.array(tie('any'), { maxLength: 4 }),
    fc.dictionary(fc.oneof(fc.string(), fc.constantFrom('a', '"', '\\', ',', ':', '{')), tie('any'), {
      maxKeys: 4,
    }),
  ),
})).any

suite('JSON text', () => {
  test('what JSON.stringify writes is read as JSON.parse reads it', () => {
    fc.assert(
      fc.property(json, fc.constantFrom(undefined, 2), (value, indent) => {
        const text = JSON.stringify(value, undefined, indent)
        fc.pre(!/"__proto__"\s*:/.test(text))
        assert.deepEqual(parseJsonText(text), JSON.parse(text))
      }),
    )
  })

  test('the same key twice is refused wherever it is, however it is written', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.array(json, { maxLength: 3 }), (key, items) => {
        const written = JSON.stringify(key)
        const escaped = `"${Array.from({ length: key.length }, (_, at) => `\\u${key.charCodeAt(at).toString(16).padStart(4, '0')}`).join('')}"`
        const text = `[{"a":[{${written} : ${JSON.stringify(items)}, ${escaped}\n:1}]}]`
        assert.throws(() => parseJsonText(text), SyntaxError)
      }),
    )
  })

  test('32 levels are read, and 33 are refused', () => {
    assert.doesNotThrow(() => parseJsonText('['.repeat(32) + ']'.repeat(32)))
    assert.throws(() => parseJsonText('['.repeat(33) + ']'.repeat(33)), /more than 32 levels/)
    assert.doesNotThrow(() => parseJsonText(`[${'[],'.repeat(1_000)}"${'['.repeat(1_000)}"]`))
  })
})
