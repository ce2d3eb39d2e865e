import assert from 'node:assert/strict'
import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { removeTemporaryDirectory, temporaryDirectory } from '@imapfleet/local/temporary-directory'
import { checkUnit, type UnitProperties } from './service-unit.ts'

const unit: UnitProperties = {
  LoadState: 'loaded',
  User: 'imapfleet-edge',
  ProtectSystem: 'strict',
  ProtectHome: 'yes',
  PrivateTmp: 'yes',
  ReadWritePaths: '-/srv/logs +/data',
  LogsDirectory: 'imapfleet',
  StateDirectory: 'imapfleet',
}
const inHome = join('/home', 'operator/ca.pem')
const directory = temporaryDirectory('unit')
after(() => removeTemporaryDirectory(directory))

const read = (file: string, properties = unit) =>
  checkUnit({ read: [['caFile', file]], written: [] }, 'imapfleet-edge', properties).map(({ text }) => text)
const written = (file: string, properties = unit) =>
  checkUnit({ read: [], written: [['trace.file', file]] }, 'imapfleet-edge', properties).map(
    ({ text }) => text,
  )

test('a file that the service cannot write is reported', () => {
  assert.deepEqual(written('/var/log/protocol.log'), [
    'trace.file: imapfleet-edge.service does not let the edge write /var/log/protocol.log',
  ])
  for (const file of [
    '/var/log/imapfleet/a b.log',
    '/var/lib/imapfleet',
    '/srv/logs/a',
    '/data/a',
    '/dev/null',
  ])
    assert.deepEqual(written(file), [], file)
  assert.equal(written('/var/log/imapfleet-old/a.log').length, 1)
  assert.deepEqual(written('/var/log/protocol.log', { ...unit, ProtectSystem: 'full' }), [])
})

test('a file that the service cannot see is reported once', () => {
  for (const file of [inHome, '/tmp/ca.pem']) {
    assert.deepEqual(read(file), [`caFile: imapfleet-edge.service hides ${file} from the edge`])
    assert.equal(written(file).length, 1)
  }
  assert.deepEqual(read('/etc/ssl/ca.pem'), [])
  assert.deepEqual(read(inHome, { ...unit, ProtectHome: 'read-only' }), [])
})

test('a symbolic link does not hide where a file is', () => {
  const link = join(directory, 'link')
  symlinkSync('/home', link)
  assert.equal(read(`${link}/operator/ca.pem`, { ...unit, PrivateTmp: 'no' }).length, 1)
})

test('a unit that is not installed, or that starts the edge as another user, is not checked', () => {
  for (const other of [{}, { ...unit, LoadState: 'not-found' }, { ...unit, User: 'proxy' }])
    assert.deepEqual(written('/var/log/protocol.log', other), [])
})
