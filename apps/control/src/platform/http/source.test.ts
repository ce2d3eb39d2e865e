import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Hono } from 'hono'
import { sourceReader } from './source.ts'

async function sourceOf(trusted: string[], remoteAddress: string, forwarded?: string): Promise<string> {
  const read = sourceReader(trusted)
  const app = new Hono().get('/', (context) => context.text(read(context)))
  const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded }
  const answer = await app.request('/', { headers }, { incoming: { socket: { remoteAddress } } })
  return await answer.text()
}

test('without a trusted proxy, the source is the connection, whatever the request claims', async () => {
  assert.equal(await sourceOf([], '192.0.2.1', '198.51.100.7'), '192.0.2.1')
  assert.equal(await sourceOf(['10.0.0.0/8'], '192.0.2.1', '198.51.100.7'), '192.0.2.1')
  assert.equal(await sourceOf([], '::ffff:192.0.2.1'), '192.0.2.1')
})

test('behind trusted proxies, the source is the last address that is not a trusted proxy', async () => {
  const trusted = ['10.0.0.0/8', '2001:db8::/32']
  assert.equal(await sourceOf(trusted, '10.1.1.1', '203.0.113.9, 198.51.100.7, 10.2.2.2'), '198.51.100.7')
  assert.equal(await sourceOf(trusted, '2001:db8::1', '203.0.113.9'), '203.0.113.9')
  assert.equal(await sourceOf(trusted, '10.1.1.1'), '10.1.1.1')
})

test('what a trusted proxy cannot have appended ends the chain: the source is always an address', async () => {
  const trusted = ['10.0.0.0/8']
  for (const claimed of [
    'not an address',
    'unknown',
    '_hidden',
    '',
    ' ',
    '1.2.3',
    '1.2.3.4.5',
    "'; drop table",
    '[::1',
    'x'.repeat(5_000),
  ])
    assert.equal(await sourceOf(trusted, '10.1.1.1', claimed), '10.1.1.1', claimed)
  assert.equal(await sourceOf(trusted, '10.1.1.1', '203.0.113.9, unknown, 10.2.2.2'), '10.2.2.2')
})

test('some proxies append a port, brackets or a zone', async () => {
  const trusted = ['10.0.0.0/8', 'fd00::/8']
  for (const [appended, address] of [
    ['203.0.113.9:4711', '203.0.113.9'],
    ['[2001:DB8::9]:4711', '2001:db8::9'],
    ['[2001:db8::9]', '2001:db8::9'],
    ['fe80::9%eth0', 'fe80::9'],
    ['::ffff:203.0.113.9', '203.0.113.9'],
    ['203.0.113.9, 10.2.2.2:80', '203.0.113.9'],
    ['203.0.113.9, [fd00::2]:80', '203.0.113.9'],
  ] as const)
    assert.equal(await sourceOf(trusted, '10.1.1.1', appended), address, appended)
})

test('a request without a connection has no source, whatever it claims', async () => {
  const read = sourceReader(['10.0.0.0/8'])
  const app = new Hono().get('/', (context) => context.text(read(context)))
  const answer = await app.request('/', { headers: { 'x-forwarded-for': '203.0.113.9' } })
  assert.equal(await answer.text(), 'unknown')
})

test('a request keeps its source when the client leaves while it is handled', async () => {
  const read = sourceReader([])
  const socket: { remoteAddress?: string } = { remoteAddress: '192.0.2.1' }
  const app = new Hono().get('/', (context) => {
    read(context)
    delete socket.remoteAddress
    return context.text(read(context))
  })
  const answer = await app.request('/', {}, { incoming: { socket } })
  assert.equal(await answer.text(), '192.0.2.1')
})
