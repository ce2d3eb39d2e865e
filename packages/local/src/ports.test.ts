import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { test } from 'node:test'
import { freePort } from './ports.ts'

test('a preferred port that is taken, on one address or on all, is replaced by a free one', async (t) => {
  for (const host of ['127.0.0.1', '0.0.0.0']) {
    const server = createServer()
    t.after(() => server.close())
    server.listen(0, host)
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    assert.notEqual(await freePort(port), port)
  }
})

test('a preferred port that is free is taken, but not twice', async () => {
  const port = await freePort()
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port: free } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  assert.equal(await freePort(free), free)
  assert.notEqual(await freePort(free), free)
  assert.notEqual(await freePort(port), port)
})
