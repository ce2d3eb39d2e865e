import assert from 'node:assert/strict'
import { test } from 'node:test'
import { undoing } from './undo.ts'

const before = { pool: { usesMax: 100 } }
const after = { pool: { usesMax: 200, idleTimeoutMs: 5 } }

test('the keys of the revision get their values from before, and others stay', () => {
  assert.deepEqual(undoing(before, after, { ...after, log: { level: 'debug' } }), {
    ok: true,
    set: { 'pool.usesMax': 100 },
    unset: ['pool.idleTimeoutMs'],
  })
})

test('the first revision of a layer can be undone', () => {
  assert.deepEqual(undoing({}, before, before), { ok: true, set: {}, unset: ['pool.usesMax'] })
})

test('a key that was changed again is named, and nothing is undone', () => {
  assert.deepEqual(undoing(before, after, { pool: { usesMax: 300, idleTimeoutMs: 5 } }), {
    ok: false,
    changedSince: ['pool.usesMax'],
  })
})

test('a key that has its value from before already is no conflict', () => {
  const undone = undoing(before, after, { pool: { usesMax: 100, idleTimeoutMs: 5 } })
  assert.deepEqual(undone, { ok: true, set: { 'pool.usesMax': 100 }, unset: ['pool.idleTimeoutMs'] })
})
