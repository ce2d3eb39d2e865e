import assert from 'node:assert/strict'
import { test } from 'node:test'
import { redacted } from '@imapfleet/config'
import { changeBetween, layerOfConfFile, parseLayer } from './config-apply.ts'

test('a layer changes key by key: new and changed keys are set, missing ones unset, equal ones unchanged', () => {
  const has = { pool: { usesMax: 5, idleTimeoutMs: 1000 }, log: { level: 'info' }, routes: [] }
  const wants = { pool: { usesMax: 6, idleTimeoutMs: 1000 }, routes: [], admin: { commands: true } }
  assert.deepEqual(changeBetween(has, wants), {
    set: { 'pool.usesMax': 6, 'admin.commands': true },
    unset: ['log.level'],
  })
})

test('a redacted secret is neither set nor unset', () => {
  const layer = { upstreams: { main: { masterPassword: redacted } } }
  assert.deepEqual(changeBetween(layer, layer), { set: {}, unset: [] })
  assert.deepEqual(changeBetween({}, layer), { set: {}, unset: [] })
})

test('every mistake in a file is reported with its line', () => {
  assert.throws(
    () => parseLayer('pool:\n  usesMax: 0\n  nonsense: 1\n', 'x.yaml'),
    (error: Error) =>
      /x\.yaml:2: pool\.usesMax must be at least 1/.test(error.message) && /x\.yaml:3: /.test(error.message),
  )
  assert.throws(() => parseLayer('pool: [', 'x.yaml'), /x\.yaml:1: /)
  assert.throws(() => parseLayer('server_hostname a\nlisten_port 1143\n', 'x.conf'), /config import x\.conf/)
})

test('an imapproxy.conf becomes a layer, and keys that the fleet cannot set are reported', () => {
  const { set, report } = layerOfConfFile(
    'server_hostname mail.example\nlisten_port 1143\nproc_username mail\n',
    'x',
  )
  assert.deepEqual(
    Object.keys(set).filter((key) => key.startsWith('process.')),
    [],
  )
  assert.deepEqual(set['upstreams.main.hosts'], ['mail.example'])
  assert.ok(report.some((line) => line.startsWith('line 2: listen_port 1143 → ')))
  assert.ok(report.some((line) => line.startsWith('process.user cannot be set by the fleet')))
  assert.throws(() => layerOfConfFile('pool:\n  usesMax: 1\n', 'x.yaml'), /config apply x\.yaml/)
})
