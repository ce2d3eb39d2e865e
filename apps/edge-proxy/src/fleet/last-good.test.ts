import assert from 'node:assert/strict'
import { test } from 'node:test'
import { resolveConfig, type Layer } from '@imapfleet/config'
import { temporaryDirectory } from '@imapfleet/local/temporary-directory'
import { Log } from '@imapfleet/observe'
import { desired } from './fleet.test-support.ts'
import { lastGoodConfig, writeLastGood } from './last-good.ts'
import { StateDirectory } from './state-directory.ts'

const lines: string[] = []
const log = new Log({ level: 'debug', format: 'text' }, (line) => void lines.push(line))

function own(stateDir: string, servers = ['nats://127.0.0.1:4222']) {
  const document: Layer = {
    listeners: { imap: { address: '127.0.0.1', port: 1143 } },
    upstreams: { main: { hosts: ['127.0.0.1'] } },
    pool: { idleTimeoutMs: 10_000, usesMax: 7 },
    fleet: { stateDir, servers },
  }
  const resolved = resolveConfig(document)
  assert.ok(resolved.ok)
  return { file: resolved.config, document }
}

test('an edge starts with the last configuration of the fleet, merged over its own file', () => {
  const stateDir = temporaryDirectory('last-good')
  const { file, document } = own(stateDir)
  assert.equal(lastGoodConfig(file, document, log), undefined)
  const config = { revision: 4, layer: { pool: { idleTimeoutMs: 50_000 } } }
  writeLastGood(new StateDirectory(stateDir, log), desired(9, { config }))
  const found = lastGoodConfig(file, document, log)
  assert.deepEqual(
    [found?.revision, found?.config.pool.idleTimeoutMs, found?.config.pool.usesMax],
    [4, 50_000, 7],
  )
  const alone = own(stateDir, [])
  assert.equal(lastGoodConfig(alone.file, alone.document, log), undefined)
})

test('a last configuration that is invalid with the present file is not used', () => {
  const stateDir = temporaryDirectory('last-good')
  const { file, document } = own(stateDir)
  const directory = new StateDirectory(stateDir, log)
  writeLastGood(directory, desired(9, { config: { revision: 4, layer: { pool: { idleTimeoutMs: 'x' } } } }))
  assert.equal(lastGoodConfig(file, document, log), undefined)
  writeLastGood(directory, desired(10, { config: { revision: 5, layer: { nosuch: {} } } }))
  assert.equal(lastGoodConfig(file, document, log), undefined)
})
