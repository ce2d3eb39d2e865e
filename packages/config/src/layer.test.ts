import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { describeKeys } from './manual.ts'
import {
  checkLayer,
  flattenLayer,
  mergeLayers,
  readKey,
  withoutHostKeys,
  writeKey,
  type JsonValue,
  type Layer,
} from './layer.ts'

const value: fc.Arbitrary<JsonValue> = fc.oneof(fc.integer(), fc.string(), fc.boolean(), fc.constant(null))
const part = fc.stringMatching(/^[a-z_]{1,4}$/)
const key = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('.'))
const layer = fc
  .array(fc.tuple(key, value), { maxLength: 8 })
  .map((leaves) => leaves.reduce<Layer>((made, [at, leaf]) => writeKey(made, at, leaf), {}))
const settings = { seed: 20_260_103, numRuns: 500 }

test('the later layer wins key by key, and neither layer is changed', () => {
  const base = { pool: { usesMax: 1, idleTimeoutMs: 2 }, routes: [{ upstream: 'a' }] }
  const over = { pool: { usesMax: 3 }, routes: [] }
  assert.deepEqual(mergeLayers(base, over), { pool: { usesMax: 3, idleTimeoutMs: 2 }, routes: [] })
  assert.equal(base.pool.usesMax, 1)
  assert.deepEqual(over, { pool: { usesMax: 3 }, routes: [] })
})

test('merging three layers gives the same result in either grouping', () => {
  const flat = fc.dictionary(part, fc.dictionary(part, value))
  fc.assert(
    fc.property(flat, flat, flat, (a, b, c) => {
      assert.deepEqual(mergeLayers(mergeLayers(a, b), c), mergeLayers(a, mergeLayers(b, c)))
    }),
    settings,
  )
})

test('a written key is read back, and no other key changes', () => {
  fc.assert(
    fc.property(layer, key, value, (before, at, leaf) => {
      const after = writeKey(before, at, leaf)
      assert.deepEqual(readKey(after, at), leaf)
      const isOther = ([other]: [string, JsonValue]) =>
        !`${other}.`.startsWith(`${at}.`) && !`${at}.`.startsWith(`${other}.`)
      assert.deepEqual(flattenLayer(after).filter(isOther), flattenLayer(before).filter(isOther))
    }),
    settings,
  )
})

test('a key that was set and removed leaves nothing behind', () => {
  fc.assert(
    fc.property(key, value, (at, leaf) => {
      assert.deepEqual(writeKey(writeKey({}, at, leaf), at, undefined), {})
    }),
    settings,
  )
})

test('a flattened layer can be rebuilt', () => {
  fc.assert(
    fc.property(layer, (original) => {
      const rebuilt = flattenLayer(original).reduce<Layer>((made, [at, leaf]) => writeKey(made, at, leaf), {})
      assert.deepEqual(rebuilt, original)
    }),
    settings,
  )
})

test('__proto__ is an ordinary key, so that the schema refuses it', () => {
  const hostile = JSON.parse('{"__proto__":{"pool":{"usesMax":1}}}') as Layer
  const merged = mergeLayers({}, hostile)
  assert.deepEqual(Object.keys(merged), ['__proto__'])
  assert.equal(readKey(merged, 'pool.usesMax'), undefined)
  assert.ok(!checkLayer(merged).ok)
  assert.ok(!checkLayer(writeKey({}, '__proto__.usesMax', 1)).ok)
  assert.equal(readKey({}, '__proto__.toString'), undefined)
  assert.equal(({} as Record<string, unknown>)['pool'], undefined)
})

test('a layer gets no defaults', () => {
  const partial = { upstreams: { main: { port: 993 } }, pool: { selectCache: 'exact' } }
  assert.deepEqual(checkLayer(partial), { ok: true, layer: partial })
})

test('the values of a layer have the same bounds as those of a file', () => {
  const checked = checkLayer({
    pool: { idleTimeoutMs: 5 },
    upstreams: { main: { prot: 143, masterPassword: 99 } },
  })
  assert.deepEqual(checked, {
    ok: false,
    problems: [
      { key: 'upstreams.main.masterPassword', message: 'must be text' },
      { key: 'upstreams.main.prot', message: 'is not a known key; did you mean port?' },
      { key: 'pool.idleTimeoutMs', message: 'must be at least 1000, not 5' },
    ],
  })
})

test('sections of the host cannot be set by the fleet', () => {
  for (const section of ['edge', 'http', 'fleet', 'process']) {
    const checked = checkLayer({ [section]: {} })
    assert.deepEqual(checked.ok ? [] : checked.problems, [
      { key: section, message: 'can be set only in the configuration file of the edge, not by the fleet' },
    ])
  }
})

test('a name that a record would drop without an error is refused at any depth', () => {
  for (const hidden of [
    'upstreams.__proto__.port',
    'listeners.__proto__.requireTls',
    'upstreams.__proto__',
  ]) {
    const checked = checkLayer(writeKey({}, hidden, hidden.endsWith('port') ? 143 : {}))
    assert.ok(!checked.ok, hidden)
    assert.match(checked.problems[0]!.key, /__proto__/)
  }
})

test('a checked layer is a copy that holds only what the schema has read', () => {
  const given = { upstreams: { main: { port: 143 } } }
  const checked = checkLayer(given)
  assert.ok(checked.ok)
  assert.deepEqual(checked.layer, given)
  assert.notEqual(checked.layer, given)
})

test('files that the edge writes, and everything of its host, are set only by its file', () => {
  const host = {
    'trace.file': '/etc/cron.d/trace',
    'fleet.stateDir': '/tmp',
    'process.pidFile': '/tmp/pid',
    'http.port': 80,
    'edge.id': 'other',
  }
  for (const [name, set] of Object.entries(host)) {
    const checked = checkLayer(writeKey({}, name, set))
    assert.ok(!checked.ok, name)
    assert.match(checked.problems[0]!.message, /only in the configuration file of the edge/)
  }
  const both = writeKey(writeKey({}, 'trace.file', '/log/p'), 'trace.bytesMax', 4096)
  assert.deepEqual(withoutHostKeys(both), { layer: { trace: { bytesMax: 4096 } }, ignored: ['trace.file'] })
  assert.deepEqual(describeKeys().find((each) => each.key === 'trace.file')?.steerable, false)
})
