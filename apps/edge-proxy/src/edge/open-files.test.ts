import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { resolveConfig } from '@imapfleet/config'
import { openFilesNeeded } from './open-files.ts'

test('each client, server connection, spare connection, health check, connection ahead and listener needs a file, and the edge needs some more', () => {
  const resolved = resolveConfig({
    clients: { connectionsMax: 20 },
    upstreams: { main: { connectionsMax: 10 }, other: { connectionsMax: 5, connectionsSpareMax: 3 } },
  })
  assert.ok(resolved.ok)
  const [clients, main, other, checks, listeners, own] = [20, 10 + 64, 5 + 3, 2 * 3, 1, 100]
  assert.equal(openFilesNeeded(resolved.config), clients + main + other + checks + listeners + own)
})

test(
  'the limit of open files is that of the system',
  { skip: !existsSync('/proc/self/limits') && 'this system has no /proc' },
  () => {
    const ask = `import { openFilesLimit } from ${JSON.stringify(import.meta.resolve('./open-files.ts'))}; console.log(openFilesLimit())`
    const node = [process.execPath, '--input-type=module', '-e', ask]
    const said = execFileSync('/bin/sh', ['-c', 'ulimit -n 345; exec "$0" "$@"', ...node], {
      encoding: 'utf8',
    })
    assert.equal(said.trim(), '345')
  },
)

test(
  'the last files are a reserve, of at most an eighth of the limit',
  { skip: !existsSync('/proc/self/limits') && 'this system has no /proc' },
  () => {
    const ask = `import { FileReserve } from ${JSON.stringify(import.meta.resolve('./open-files.ts'))}
      const reserve = new FileReserve()
      console.log([-1, 0, 69, 70, 79].map((file) => reserve.isTouched(file)).join())`
    const node = [process.execPath, '--input-type=module', '-e', ask]
    const said = execFileSync('/bin/sh', ['-c', 'ulimit -n 80; exec "$0" "$@"', ...node], {
      encoding: 'utf8',
    })
    assert.equal(said.trim(), 'false,false,false,true,true')
  },
)
