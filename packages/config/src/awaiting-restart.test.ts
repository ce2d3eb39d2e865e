import assert from 'node:assert/strict'
import { test } from 'node:test'
import { awaitingRestart } from './awaiting-restart.ts'
import { resolveConfig } from './resolve.ts'

const config = (document: object) => {
  const upstreams = { main: { hosts: ['localhost'] } }
  const resolved = resolveConfig({ upstreams, ...document })
  assert.ok(resolved.ok, JSON.stringify(resolved))
  return resolved.config
}
const imap = { address: '127.0.0.1', port: 1143 }

test('only keys that need a restart are reported', () => {
  const started = config({ listeners: { imap } })
  assert.deepEqual(awaitingRestart(started, started), [])
  assert.deepEqual(
    awaitingRestart(started, config({ listeners: { imap }, pool: { idleTimeoutMs: 5_000 } })),
    [],
  )
  const changed = { listeners: { imap: { ...imap, port: 1144 } }, trace: { file: '/tmp/x' } }
  assert.deepEqual(awaitingRestart(started, config(changed)), ['listeners.imap.port', 'trace.file'])
  assert.deepEqual(awaitingRestart(config(changed), config(changed)), [])
})

test('an added or removed listener is reported; an upstream takes effect immediately', () => {
  const one = config({ listeners: { imap } })
  const two = config({ listeners: { imap, more: { ...imap, port: 1145 } } })
  assert.deepEqual(awaitingRestart(one, two), ['listeners.more'])
  assert.deepEqual(awaitingRestart(two, one), ['listeners.more'])
  const upstreams = { main: { hosts: ['localhost'] }, other: { hosts: ['mail.example.org'] } }
  assert.deepEqual(awaitingRestart(one, config({ listeners: { imap }, upstreams })), [])
})
