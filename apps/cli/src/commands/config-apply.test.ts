import assert from 'node:assert/strict'
import { test } from 'node:test'
import { layerOfConfFile } from './config-apply.ts'

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
