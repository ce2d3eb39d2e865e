import assert from 'node:assert/strict'
import { test } from 'node:test'
import { detectFormat, resolveFile } from './config-file.ts'

test('each format is recognised by the shape of its lines', () => {
  const yaml = [
    '',
    '# only a comment',
    'pool: { usesMax: 5 }',
    'pool:\n  usesMax: 5\n',
    '{ "pool": {} }',
    '---\nlog:\n  level: debug # not info\n',
    '# imapproxy.conf: server_port 143\npool: {}\n',
    'routes:\n  - upstream: main\n    domain: example.org\n',
    '"pool": {}',
  ]
  const conf = [
    'server_port 143',
    '## imapproxy.conf\n\nserver_hostname localhost\nlisten_port 143\n',
    '\tserver_port\t143\r\n',
    'server_hostnam mail.example.org',
    'preauth_command ID ("GUID" "1")',
    'listen_address ::1',
    'tls_ciphers ALL:!aNULL',
  ]
  for (const text of yaml) assert.equal(detectFormat(text), 'yaml', text)
  for (const text of conf) assert.equal(detectFormat(text), 'imapproxy-conf', text)
})

test('files of both formats give the same kind of configuration', () => {
  const yaml = resolveFile('listeners: { imap: { port: 1143 } }')
  const conf = resolveFile('listen_port 1143')
  assert.ok(yaml.ok && conf.ok)
  assert.equal(yaml.config.listeners['imap']?.port, conf.config.listeners['imap']?.port)
  assert.deepEqual(yaml.report, [])
  assert.ok(conf.report.length > 0)
})

test('mistakes are reported with their lines in both formats', () => {
  const yaml = resolveFile('pool:\n  usesMax: 0\n')
  const conf = resolveFile('server_port 143\nserver_port x\n')
  assert.deepEqual([!yaml.ok && yaml.problems[0]?.line, !conf.ok && conf.problems[0]?.line], [2, 2])
})
