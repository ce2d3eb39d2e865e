import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { resolveConfig, type Layer } from '@imapfleet/config'
import { temporaryDirectory } from '@imapfleet/local/temporary-directory'
import { Log } from '@imapfleet/observe'
import { desired } from './fleet.test-support.ts'
import { lastGoodConfig, writeLastGood } from './last-good.ts'

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
  writeLastGood(stateDir, desired(9, { config }), log)
  const found = lastGoodConfig(file, document, log)
  assert.deepEqual(
    [found?.revision, found?.config.pool.idleTimeoutMs, found?.config.pool.usesMax],
    [4, 50_000, 7],
  )
  const alone = own(stateDir, [])
  assert.equal(lastGoodConfig(alone.file, alone.document, log), undefined)
})

test('a last configuration that does not fit the file any more is not used', () => {
  const stateDir = temporaryDirectory('last-good')
  const { file, document } = own(stateDir)
  writeLastGood(
    stateDir,
    desired(9, { config: { revision: 4, layer: { pool: { idleTimeoutMs: 'x' } } } }),
    log,
  )
  assert.equal(lastGoodConfig(file, document, log), undefined)
  writeLastGood(stateDir, desired(10, { config: { revision: 5, layer: { nosuch: {} } } }), log)
  assert.equal(lastGoodConfig(file, document, log), undefined)
})

test('a state directory that cannot be written is logged, and nothing is thrown', () => {
  const stateDir = join(temporaryDirectory('last-good'), 'file')
  writeFileSync(stateDir, '')
  writeLastGood(stateDir, desired(1), log)
  assert.ok(lines.some((line) => line.includes('last_good_unwritten')))
})
