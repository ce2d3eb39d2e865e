import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseLayerText } from './parse-layer-text.ts'

test('sections become dotted keys, and lists are values', () => {
  assert.deepEqual(
    parseLayerText('pool:\n  usesMax: 5 # few\nupstreams:\n  main: { hosts: [a, b], tls: off }\n'),
    {
      set: { 'pool.usesMax': 5, 'upstreams.main.hosts': ['a', 'b'], 'upstreams.main.tls': 'off' },
      mistake: null,
    },
  )
  for (const empty of ['', '# nothing\n', '{}'])
    assert.deepEqual(parseLayerText(empty), { set: {}, mistake: null })
})

test('a mistake has its line, and then nothing is set', () => {
  const cases: [text: string, message: RegExp, line: number | null][] = [
    ['pool:\n  usesMax: 5\n usesMax: 6\n', /./, 3],
    ['a: 1\na: 2\n', /unique/, 2],
    ['a: &x 1\nb: *x\n', /aliases/, 2],
    ['- a\n', /keys with values/, 1],
    ['text', /keys with values/, 1],
    ['pool:\n  usesMax: .nan\n', /pool\.usesMax/, 2],
    ['pool.usesMax: 5\n', /without dots/, 1],
  ]
  for (const [text, message, line] of cases) {
    const { set, mistake } = parseLayerText(text)
    assert.deepEqual(set, {}, text)
    assert.match(mistake?.message ?? '', message, text)
    assert.equal(mistake?.line, line, text)
  }
})

test('a key named as a property of objects is a key, and deep nesting ends', () => {
  const { set } = parseLayerText('__proto__:\n  polluted: true\n')
  assert.equal(({} as Record<string, unknown>)['polluted'], undefined)
  assert.ok(Object.keys(set).every((key) => key.startsWith('__proto__')))
  assert.notEqual(parseLayerText(`${'{a: '.repeat(50)}1${'}'.repeat(50)}`).mistake, null)
})
