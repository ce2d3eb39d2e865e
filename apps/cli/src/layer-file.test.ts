import assert from 'node:assert/strict'
import { test } from 'node:test'
import { redacted } from '@imapfleet/config'
import { changeBetween, missingSecrets, parseLayer } from './layer-file.ts'

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

test('a placeholder is refused only if the fleet does not have the secret', () => {
  const layer = { upstreams: { main: { masterPassword: redacted } } }
  assert.deepEqual(missingSecrets(layer, layer), [])
  assert.deepEqual(missingSecrets({}, layer), ['upstreams.main.masterPassword'])
})

test('lists with equal entries are equal, whatever the order of the keys in an entry is', () => {
  const change = changeBetween(
    { routes: [{ user: 'a*', domain: 'example.org', upstream: 'main' }] },
    { routes: [{ upstream: 'main', domain: 'example.org', user: 'a*' }] },
  )
  assert.deepEqual(change, { set: {}, unset: [] })
  const order = changeBetween(
    { routes: [{ upstream: 'a' }, { upstream: 'b' }] },
    { routes: [{ upstream: 'b' }, { upstream: 'a' }] },
  )
  assert.deepEqual(Object.keys(order.set), ['routes'])
})

test('every mistake in a file is reported with its line', () => {
  const mistakesIn = (content: string) => {
    const parsed = parseLayer(content, 'x.yaml')
    return parsed.ok ? [] : parsed.mistakes
  }
  const places: [string, RegExp[]][] = [
    [
      'pool:\n  usesMax: 0\n  nonsense: 1\n',
      [/^x\.yaml:2: pool\.usesMax must be at least 1/, /^x\.yaml:3: /],
    ],
    ['pool: [', [/^x\.yaml:1: /]],
    ['pool:\n  usesMax: 1\n  usesMax: 2\n', [/^x\.yaml:3: .*unique/]],
    ['pool: &a\n  usesMax: 1\nclients: *a\n', [/^x\.yaml:3: aliases/]],
    ['a: 1\n---\nb: 2\n', [/^x\.yaml:2: /]],
    ['- pool\n', [/must be/]],
    ['"text"\n', [/must be/]],
    ['edge:\n  id: eu-1\n', [/^x\.yaml:1: edge can be set only in the configuration file of the edge/]],
    ['pool:\n  usesMax: (redacted)\n', [/^x\.yaml:2: pool\.usesMax must be/]],
    ['__proto__:\n  pool: 1\n', [/^x\.yaml:1: /]],
    ['server_hostname a\nlisten_port 1143\n', [/config import x\.yaml/]],
  ]
  for (const [content, expected] of places) {
    const mistakes = mistakesIn(content)
    assert.equal(mistakes.length, expected.length, `${content}${mistakes.join()}`)
    for (const [index, mistake] of mistakes.entries()) assert.match(mistake, expected[index]!, content)
  }
})

test('a placeholder stays in a parsed layer, and an empty file is a layer without keys', () => {
  const parsed = parseLayer('upstreams:\n  main:\n    masterPassword: (redacted)\n    port: 993\n', 'x')
  assert.ok(parsed.ok)
  assert.deepEqual(parsed.layer, { upstreams: { main: { masterPassword: redacted, port: 993 } } })
  assert.equal(parsed.lineOf('upstreams.main.masterPassword'), 3)
  for (const empty of ['', '\n', '# nothing\n', '---\n', '{}\n']) {
    const none = parseLayer(empty, 'x')
    assert.deepEqual(none.ok && none.layer, {}, empty)
  }
})
