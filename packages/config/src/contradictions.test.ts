import assert from 'node:assert/strict'
import { test } from 'node:test'
import { contradictionsOf } from './contradictions.ts'
import { resolveConfig } from './load.ts'
import type { Layer } from './layer.ts'

function found(document: Layer): string[] {
  const resolved = resolveConfig(document)
  return resolved.ok ? [] : resolved.problems.map(({ key, message }) => `${key} ${message}`)
}

const cert = { certFile: '/c.pem', keyFile: '/k.pem' }

test('there is always somewhere to listen and somewhere to go', () => {
  assert.deepEqual(found({ listeners: {} }), ['listeners needs at least one listener'])
  assert.deepEqual(found({ upstreams: {} }), ['upstreams needs at least one upstream'])
})

test('TLS to clients needs a certificate and its key', () => {
  assert.deepEqual(found({ listeners: { imaps: { port: 993, tls: 'implicit', certFile: '/c.pem' } } }), [
    'listeners.imaps.keyFile is needed with tls: implicit',
  ])
  assert.deepEqual(found({ listeners: { imaps: { port: 993, tls: 'implicit', ...cert } } }), [])
  assert.deepEqual(found({ listeners: { imap: { keyFile: '/k.pem' } } }), [
    'listeners.imap.keyFile needs certFile beside it',
  ])
})

test('a listener that nobody could log in to is refused', () => {
  assert.deepEqual(found({ listeners: { imap: { requireTls: true } } }), [
    'listeners.imap.requireTls needs tls: starttls or tls: implicit, else nobody can log in',
  ])
  assert.deepEqual(found({ listeners: { imap: { requireTls: true, tls: 'starttls', ...cert } } }), [])
})

test('no two sockets may stand on one port of overlapping addresses', () => {
  const pair = (one: string, other: string, otherPort = 143) =>
    found({ listeners: { a: { address: one }, b: { address: other, port: otherPort } } })
  const taken = ['listeners.b.port is taken by listeners.a on the same address']
  assert.deepEqual(pair('127.0.0.1', '127.0.0.1'), taken)
  assert.deepEqual(pair('::', '127.0.0.1'), taken)
  assert.deepEqual(pair('127.0.0.1', '::'), taken)
  assert.deepEqual(pair('0.0.0.0', '10.1.2.3'), taken)
  assert.deepEqual(pair('127.0.0.1', '127.0.0.2'), [])
  assert.deepEqual(pair('0.0.0.0', '::1'), [])
  assert.deepEqual(pair('::1', '127.0.0.1'), [])
  assert.deepEqual(pair('::', '::', 993), [])
})

test('the local HTTP port keeps clear of the listeners', () => {
  assert.deepEqual(found({ listeners: { a: { address: '127.0.0.1', port: 9143 } } }), [
    'http.port is taken by listeners.a on the same address',
  ])
  assert.deepEqual(found({ listeners: { a: { port: 9143 } }, http: { port: 0 } }), [])
})

test('a lowest TLS version above the highest is refused', () => {
  const upstream = (minTlsVersion: string, maxTlsVersion: string) =>
    found({ upstreams: { main: { minTlsVersion, maxTlsVersion } } })
  assert.deepEqual(upstream('TLSv1.3', 'TLSv1.2'), [
    'upstreams.main.minTlsVersion must not be above maxTlsVersion, which is TLSv1.2',
  ])
  assert.deepEqual(upstream('TLSv1.2', 'TLSv1.2'), [])
})

test('a master user is complete or absent', () => {
  assert.deepEqual(found({ upstreams: { main: { masterUser: 'm' } } }), [
    'upstreams.main.masterUser needs masterPassword and sharedSecret beside it',
  ])
  const all = { masterUser: 'm', masterPassword: 'p', sharedSecret: 's' }
  assert.deepEqual(found({ upstreams: { main: all } }), [])
})

test('a route leads to what exists', () => {
  assert.deepEqual(found({ routes: [{ upstream: 'main' }, { upstream: 'constructor', listener: 'lmtp' }] }), [
    'routes.1.upstream there is no upstream named constructor',
    'routes.1.listener there is no listener named lmtp',
  ])
})

test('contradictions are found beside fields that are wrong by themselves', () => {
  const problems = found({
    listeners: { imap: { tls: 'starttls', port: 1.5 }, twin: { port: 'x' } },
    upstreams: { main: { keyFile: '/k.pem', connectAttempts: 0 } },
    routes: [{ upstream: 'nowhere', user: 7 }],
    bogus: 1,
  })
  for (const part of ['certFile is needed', 'certFile beside it', 'no upstream named nowhere', 'bogus'])
    assert.ok(
      problems.some((problem) => problem.includes(part)),
      part,
    )
})

test('anything at all can be looked at', () => {
  for (const anything of [
    null,
    1,
    [],
    { listeners: [], upstreams: 'x', routes: {} },
    { routes: [null, 1, []] },
  ])
    assert.ok(Array.isArray(contradictionsOf(anything)))
})
