import assert from 'node:assert/strict'
import { test } from 'node:test'
import { contradictionsOf } from './contradictions.ts'
import { resolveConfig } from './resolve.ts'
import type { Layer } from './layer.ts'

function found(document: Layer): string[] {
  const resolved = resolveConfig(document)
  return resolved.ok ? [] : resolved.problems.map(({ key, message }) => `${key} ${message}`)
}

const cert = { certFile: '/c.pem', keyFile: '/k.pem' }

test('at least one listener and one upstream are required', () => {
  assert.deepEqual(found({ listeners: {} }), ['listeners needs at least one listener'])
  assert.deepEqual(found({ upstreams: {} }), ['upstreams needs at least one upstream'])
})

test('TLS to clients requires a certificate and its key', () => {
  assert.deepEqual(found({ listeners: { imaps: { port: 993, tls: 'implicit', certFile: '/c.pem' } } }), [
    'listeners.imaps.keyFile is required with tls: implicit',
  ])
  assert.deepEqual(found({ listeners: { imaps: { port: 993, tls: 'implicit', ...cert } } }), [])
  assert.deepEqual(found({ listeners: { imap: { keyFile: '/k.pem' } } }), [
    'listeners.imap.keyFile needs certFile as well',
  ])
})

test('a listener on which no client could log in is refused', () => {
  assert.deepEqual(found({ listeners: { imap: { requireTls: true } } }), [
    'listeners.imap.requireTls needs tls: starttls or tls: implicit; otherwise no client could log in',
  ])
  assert.deepEqual(found({ listeners: { imap: { requireTls: true, tls: 'starttls', ...cert } } }), [])
})

test('two listeners cannot use the same port on overlapping addresses', () => {
  const pair = (one: string, other: string, otherPort = 143) =>
    found({ listeners: { a: { address: one }, b: { address: other, port: otherPort } } })
  const taken = ['listeners.b.port is already used by listeners.a on the same address']
  assert.deepEqual(pair('127.0.0.1', '127.0.0.1'), taken)
  assert.deepEqual(pair('::', '127.0.0.1'), taken)
  assert.deepEqual(pair('127.0.0.1', '::'), taken)
  assert.deepEqual(pair('0.0.0.0', '10.1.2.3'), taken)
  assert.deepEqual(pair('127.0.0.1', '127.0.0.2'), [])
  assert.deepEqual(pair('0.0.0.0', '::1'), [])
  assert.deepEqual(pair('::1', '127.0.0.1'), [])
  assert.deepEqual(pair('::', '::', 993), [])
})

test('the HTTP port cannot be the port of a listener on the same address', () => {
  assert.deepEqual(found({ listeners: { a: { address: '127.0.0.1', port: 9143 } } }), [
    'http.port is already used by listeners.a on the same address',
  ])
  assert.deepEqual(found({ listeners: { a: { port: 9143 } }, http: { port: 0 } }), [])
})

test('the log and the protocol log need a file each', () => {
  assert.deepEqual(found({ log: { file: '/var/log/a.log' }, trace: { file: '/var/log/a.log' } }), [
    'log.file is already the file of the protocol log, trace.file',
  ])
  assert.deepEqual(found({ log: { file: '/var/log/a.log' }, trace: { file: '/var/log/b.log' } }), [])
})

test('a minimum TLS version above the maximum is refused', () => {
  const upstream = (minTlsVersion: string, maxTlsVersion: string) =>
    found({ upstreams: { main: { minTlsVersion, maxTlsVersion } } })
  assert.deepEqual(upstream('TLSv1.3', 'TLSv1.2'), [
    'upstreams.main.minTlsVersion must not be higher than maxTlsVersion, which is TLSv1.2',
  ])
  assert.deepEqual(upstream('TLSv1.2', 'TLSv1.2'), [])
})

test('a master user needs a password and a shared secret', () => {
  assert.deepEqual(found({ upstreams: { main: { masterUser: 'm' } } }), [
    'upstreams.main.masterUser needs masterPassword and sharedSecret as well',
  ])
  const all = { masterUser: 'm', masterPassword: 'p', sharedSecret: 's' }
  assert.deepEqual(found({ upstreams: { main: all } }), [])
})

test('a route names an upstream and a listener that exist', () => {
  assert.deepEqual(found({ routes: [{ upstream: 'main' }, { upstream: 'constructor', listener: 'lmtp' }] }), [
    'routes.1.upstream names constructor, but there is no such upstream',
    'routes.1.listener names lmtp, but there is no such listener',
  ])
})

test('contradictions are reported together with wrong single values', () => {
  const problems = found({
    listeners: { imap: { tls: 'starttls', port: 1.5 }, other: { port: 'x' } },
    upstreams: { main: { keyFile: '/k.pem', connectAttempts: 0 } },
    routes: [{ upstream: 'nowhere', user: 7 }],
    bogus: 1,
  })
  for (const part of ['certFile is required', 'needs certFile as well', 'no such upstream', 'bogus'])
    assert.ok(
      problems.some((problem) => problem.includes(part)),
      part,
    )
})

test('any data at all can be searched for contradictions', () => {
  for (const anything of [
    null,
    1,
    [],
    { listeners: [], upstreams: 'x', routes: {} },
    { routes: [null, 1, []] },
  ])
    assert.ok(Array.isArray(contradictionsOf(anything)))
})
