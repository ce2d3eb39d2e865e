import assert from 'node:assert/strict'
import { test } from 'node:test'
import { resolveYaml } from './resolve.ts'
import { describeKeys } from './manual.ts'
import { readKey, writeKey, type JsonValue, type Layer } from './layer.ts'

const keys = describeKeys()

/** A document in which one key has this value. */
function documentWith(key: string, value: JsonValue): Layer {
  const [before, after] = key.split('[].')
  if (after !== undefined) return { [before!]: [{ upstream: 'main', [after]: value }] }
  return writeKey({}, key.replace('NAME', 'one'), value)
}

function messagesFor(key: string, value: JsonValue): string[] {
  const loaded = resolveYaml(JSON.stringify(documentWith(key, value)))
  return loaded.ok ? [] : loaded.problems.map((problem) => problem.message)
}

test('every key has a help text of one or more sentences', () => {
  for (const { key, help } of keys) assert.match(help, /^[A-Z].*[.]$/s, key)
})

test('the help text of a duration names its unit, and that of a key that accepts 0 says what 0 means', () => {
  for (const { key, help, least } of keys) {
    if (key.endsWith('Ms')) assert.match(help, /milliseconds/, key)
    if (least === 0) assert.match(help, /\b0: /, key)
  }
})

test('every key that holds a secret is marked', () => {
  const secrets = keys.filter(({ secret }) => secret).map(({ key }) => key)
  assert.deepEqual(
    secrets,
    keys.filter(({ key }) => /password|secret$/i.test(key)).map(({ key }) => key),
  )
})

test('every number has bounds', () => {
  const numbers = keys.filter(({ key }) => /(Ms|Max|Attempts|Failures|\.port|backlog)$/.test(key))
  assert.ok(numbers.length > 30)
  for (const { key, least, most } of numbers) assert.ok(least !== undefined && most !== undefined, key)
})

test('every bound is accepted, and one beyond it is refused', () => {
  const bounded = keys.filter(({ least }) => least !== undefined)
  for (const { key, least, most } of bounded) {
    for (const bound of [least!, most!])
      assert.ok(
        !messagesFor(key, bound).some((message) => /must be at (least|most)/.test(message)),
        `${key}: ${bound}`,
      )
    assert.ok(messagesFor(key, least! - 1).includes(`must be at least ${least}, not ${least! - 1}`), key)
    assert.ok(messagesFor(key, most! + 1).includes(`must be at most ${most}, not ${most! + 1}`), key)
    assert.ok(
      messagesFor(key, least! + 0.5).some((message) => message.startsWith('must be a whole number')),
      key,
    )
  }
})

test('no duration is longer than the longest timer of Node', () => {
  for (const { key, most } of keys) if (key.endsWith('Ms')) assert.ok(most! < 2 ** 31, key)
})

test('every default is accepted when written to a file', () => {
  const loaded = resolveYaml('')
  assert.ok(loaded.ok)
  const again = resolveYaml(JSON.stringify(loaded.config))
  assert.deepEqual(again.ok && again.config, loaded.config)
  for (const { key, preset } of keys) {
    if (preset === undefined || key.includes('NAME')) continue
    assert.equal(
      JSON.stringify(readKey(loaded.config as unknown as Layer, key)).replaceAll('"', ''),
      preset,
      key,
    )
  }
})

test('a value of the wrong kind is refused for every key', () => {
  for (const { key } of keys) assert.ok(messagesFor(key, { not: 'this' }).length > 0, key)
})
