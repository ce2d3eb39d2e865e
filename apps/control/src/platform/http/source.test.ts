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
  assert.equal(await sourceOf(['10.1.1.1'], '10.1.1.1', 'not an address'), 'not an address')
})
