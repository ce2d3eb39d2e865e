import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeKeys, resolveFile } from '@imapfleet/config'
import { controlConffile, edgeConffile } from './conffile.ts'

const inForce = (text: string) => {
  const file = resolveFile(text)
  assert.equal(file.ok, true, JSON.stringify(file))
  return file.ok ? file.config : undefined
}

test('the file of an edge changes nothing as it is installed', () => {
  assert.deepEqual(inForce(edgeConffile()), inForce(''))
})

test('with every setting uncommented it says what holds without it', () => {
  const settings = edgeConffile().replaceAll(/^#(?!#)/gm, '')
  assert.deepEqual(inForce(settings), inForce(''))
  assert.match(settings, /^pool:$/m)
})

test('it has every key of the schema', () => {
  const text = edgeConffile()
  for (const { key } of describeKeys()) {
    const [name = ''] = key.split('.').slice(-1)
    assert.match(text, new RegExp(`^#[ #]*${name.replace('[]', '')}:`, 'm'), key)
  }
})

test('the file of control has the variables of its help, with defaults that can be used', () => {
  const rows = [
    { term: 'DATABASE_URL', text: 'Postgres 15 or newer, postgres://user:password@host:5432/database' },
    { term: 'NATS_URL', text: 'NATS servers (nats://127.0.0.1:4222)' },
    { term: 'TRUSTED_PROXIES', text: 'networks, separated by commas (none)' },
    { term: 'CONSOLE_DIRECTORY', text: 'directory of the console (the one that comes with control)' },
  ]
  const settings = controlConffile({ title: 'Environment', rows, lines: [] })
    .split('\n')
    .filter((line) => /^#[A-Z]/.test(line))
  assert.deepEqual(settings, [
    '#DATABASE_URL=',
    '#NATS_URL=nats://127.0.0.1:4222',
    '#TRUSTED_PROXIES=',
    '#CONSOLE_DIRECTORY=',
  ])
})
