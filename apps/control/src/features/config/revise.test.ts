import assert from 'node:assert/strict'
import { test } from 'node:test'
import { revise } from './revise.ts'

const nothing = { set: {}, unset: [] }

test('a change has the old and the new value of each key', () => {
  const before = { pool: { idleTimeoutMs: 5000, usesMax: 10 } }
  const revised = revise(before, {
    set: { 'pool.idleTimeoutMs': 60_000, 'log.level': 'debug' },
    unset: ['pool.usesMax'],
  })
  assert.deepEqual(revised, {
    ok: true,
    document: { pool: { idleTimeoutMs: 60_000 }, log: { level: 'debug' } },
    changes: [
      { key: 'log.level', before: null, after: 'debug', reload: 'live' },
      { key: 'pool.idleTimeoutMs', before: 5000, after: 60_000, reload: 'live' },
      { key: 'pool.usesMax', before: 10, after: null, reload: 'live' },
    ],
  })
  assert.deepEqual(before, { pool: { idleTimeoutMs: 5000, usesMax: 10 } })
})

test('a key that takes effect after a restart is marked', () => {
  const set = {
    'listeners.imap.port': 1143,
    'listeners.imap.requireTls': false,
    'log.format': 'json',
    routes: [],
  }
  const revised = revise({}, { set, unset: [] })
  assert.deepEqual(revised.ok && revised.changes.map(({ key, reload }) => [key, reload]), [
    ['listeners.imap.port', 'restart'],
    ['listeners.imap.requireTls', 'live'],
    ['log.format', 'restart'],
    ['routes', 'live'],
  ])
})

test('setting a key to its value, or removing a missing key, changes nothing', () => {
  const before = { pool: { idleTimeoutMs: 5000 } }
  const revised = revise(before, { set: { 'pool.idleTimeoutMs': 5000 }, unset: ['pool.usesMax'] })
  assert.deepEqual(revised.ok && revised.changes, [])
})

test('a value out of bounds, an unknown key and a key of the host are each refused with the key', () => {
  const revised = revise(
    {},
    {
      set: {
        'pool.idleTimeoutMs': 5,
        'pool.idleTimeout': 60_000,
        'edge.id': 'other',
        '__proto__.polluted': 1,
      },
      unset: [],
    },
  )
  assert.ok(!revised.ok)
  const keys = revised.problems.map(({ key }) => key)
  assert.deepEqual(keys.toSorted(), ['__proto__', 'edge', 'pool.idleTimeout', 'pool.idleTimeoutMs'])
  assert.match(revised.problems.find(({ key }) => key === 'pool.idleTimeoutMs')!.message, /at least 1000/)
  assert.equal(({} as Record<string, unknown>).polluted, undefined)
})

test('a secret is in the document, never in the changes', () => {
  const set = { 'upstreams.main.masterPassword': 'hunter2' }
  const revised = revise({ upstreams: { main: { masterPassword: 'hunter1' } } }, { set, unset: [] })
  assert.ok(revised.ok)
  assert.deepEqual(revised.document, { upstreams: { main: { masterPassword: 'hunter2' } } })
  assert.deepEqual(
    revised.changes.map(({ key }) => key),
    ['upstreams.main.masterPassword'],
  )
  assert.doesNotMatch(JSON.stringify(revised.changes), /hunter/)
})

test('the placeholder of a secret cannot become the secret', () => {
  const revised = revise({}, { set: { 'upstreams.main.masterPassword': '(redacted)' }, unset: [] })
  assert.ok(!revised.ok)
  assert.equal(revised.problems[0]?.key, 'upstreams.main.masterPassword')
})

test('a layer that is too large for a message is refused', () => {
  const routes = Array.from({ length: 4000 }, (_, index) => ({
    upstream: 'main',
    domain: `${'d'.repeat(60)}${index}.example`,
  }))
  const revised = revise({}, { set: { routes }, unset: [] })
  assert.ok(!revised.ok)
  assert.match(revised.problems[0]!.message, /larger than 262144 bytes/)
  assert.ok(revise({}, nothing).ok)
})

test('entries of a list that differ only in the order of their keys are equal', () => {
  const stored = { routes: [{ user: 'a*', domain: 'example.org', upstream: 'main' }] }
  const revised = revise(stored, {
    set: { routes: [{ upstream: 'main', domain: 'example.org', user: 'a*' }] },
    unset: [],
  })
  assert.deepEqual(revised.ok && revised.changes, [])
})
