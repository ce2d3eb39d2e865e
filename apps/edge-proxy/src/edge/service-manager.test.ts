import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tellMainProcess } from './service-manager.ts'

test('the main process of a unit without NotifyAccess= is not replaced, because systemd would end both', async () => {
  const main = { SYSTEMD_EXEC_PID: String(process.pid) }
  assert.match((await tellMainProcess(1, main)) ?? '', /the unit needs NotifyAccess=all/)
})

test('a process that systemd does not run, or that a service has started, does not notify systemd', async () => {
  assert.equal(await tellMainProcess(1, {}), undefined)
  assert.equal(await tellMainProcess(1, { SYSTEMD_EXEC_PID: String(process.ppid) }), undefined)
})
