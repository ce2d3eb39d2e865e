import assert from 'node:assert/strict'
import { test } from 'node:test'
import { detectFormat, loadConfigFile } from './load-file.ts'

test('either format is known by its shape', () => {
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

test('a file of either format gives the same kind of configuration', () => {
  const yaml = loadConfigFile('listeners: { imap: { port: 1143 } }')
  const conf = loadConfigFile('listen_port 1143')
  assert.ok(yaml.ok && conf.ok)
  assert.equal(yaml.config.listeners['imap']?.port, conf.config.listeners['imap']?.port)
  assert.deepEqual(yaml.report, [])
  assert.ok(conf.report.length > 0)
})

test('mistakes come with their lines from either format', () => {
  const yaml = loadConfigFile('pool:\n  usesMax: 0\n')
  const conf = loadConfigFile('server_port 143\nserver_port x\n')
  assert.deepEqual([!yaml.ok && yaml.problems[0]?.line, !conf.ok && conf.problems[0]?.line], [2, 2])
})
