import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { mergeLayers, resolveConfig, type EdgeConfig, type Layer } from '@imapfleet/config'
import { temporaryDirectory } from '@imapfleet/local/temporary-directory'
import { Log } from '@imapfleet/observe'
import { EdgeError, type ErrorCode } from '../errors.ts'
import { unusedPort } from './edge.test-support.ts'
import { startEdge } from './start.ts'

/** A port that another program uses. */
async function portInUse(): Promise<number> {
  const port = await unusedPort()
  const server = createServer()
  const { promise, resolve } = Promise.withResolvers<void>()
  server.listen(port, '127.0.0.1', resolve)
  await promise
  after(() => server.close())
  return port
}

function configOf(port: number, layer: Layer = {}): EdgeConfig {
  const base: Layer = {
    listeners: { imap: { address: '127.0.0.1', port } },
    upstreams: { main: { hosts: ['127.0.0.1'], healthIntervalMs: 0 } },
  }
  const resolved = resolveConfig(mergeLayers(base, layer))
  assert.ok(resolved.ok, JSON.stringify(resolved))
  return resolved.config
}

async function start(own: EdgeConfig, fleet: EdgeConfig) {
  const logged: string[] = []
  const log = new Log({ level: 'debug', format: 'text' }, (line) => void logged.push(line))
  const fleetConfig = { revision: 7, versions: { global: 5, region: 0, edge: 0 }, config: fleet }
  try {
    const { edge, rejected } = await startEdge(own, fleetConfig, log)
    after(() => edge.stop(0))
    return { logged, rejected, error: undefined, port: edge.listeners[0]?.port }
  } catch (error) {
    return { logged, rejected: undefined, error, port: undefined }
  }
}

const absent = join(temporaryDirectory('start'), 'absent')
const withFiles: Layer = {
  listeners: { imap: { tls: 'starttls', certFile: `${absent}.crt`, keyFile: `${absent}.key` } },
}
const withAuthority: Layer = { upstreams: { main: { tls: 'starttls', caFile: `${absent}.crt` } } }
const withTrace: Layer = { trace: { file: `${absent}/trace.log` } }

const ofOwnFile: [string, ErrorCode, Layer][] = [
  ['a port in use', 'listen_failed', {}],
  ['a certificate that cannot be read', 'tls_unreadable', withFiles],
  ['an authority that cannot be read', 'tls_unreadable', withAuthority],
  ['a trace file that cannot be written', 'trace_unwritable', withTrace],
]
for (const [name, code, layer] of ofOwnFile)
  test(`${name}, which is also in the edge's own file, is not reported as a fault of the revision`, async () => {
    const port = code === 'listen_failed' ? await portInUse() : await unusedPort()
    const revised = { pool: { idleTimeoutMs: 50_000 } }
    const fleet = configOf(port, mergeLayers(layer, revised))
    const { error, logged } = await start(configOf(port, layer), fleet)
    assert.ok(error instanceof EdgeError && error.code === code)
    assert.deepEqual(
      logged.filter((line) => line.includes('config_unstartable')),
      [],
    )
  })

const ofRevision: [string, RegExp, () => Promise<Layer>][] = [
  [
    'a port in use',
    /the port is in use/,
    async () => ({ listeners: { imap: { address: '127.0.0.1', port: await portInUse() } } }),
  ],
  ['a certificate that cannot be read', /listeners\.imap: cannot use .*ENOENT/, async () => withFiles],
  ['an authority that cannot be read', /upstreams\.main: .*ENOENT/, async () => withAuthority],
]
for (const [name, reason, layer] of ofRevision)
  test(`${name}, which is only in the revision: the edge starts with its own file, and rejects the revision`, async () => {
    const port = await unusedPort()
    const started = await start(configOf(port), configOf(port, await layer()))
    assert.equal(started.port, port)
    assert.deepEqual([started.rejected?.revision, started.rejected?.versions?.global], [7, 5])
    assert.match(started.rejected?.reason ?? '', reason)
    assert.equal(started.logged.filter((line) => /config_unstartable revision=7/.test(line)).length, 1)
  })
