import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { test } from 'node:test'
import { promisify } from 'node:util'
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

test('a port is not assigned twice, also not by another process', async () => {
  const port = await freePort()
  const other = `
    import { freePort } from ${JSON.stringify(new URL('ports.ts', import.meta.url).href)}
    console.log(await freePort(${port}) === ${port})`
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', other])
  assert.equal(stdout, 'false\n')
})
