/** The units of systemd: which ends of a process are restarted. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { repository } from '@imapfleet/local'

test('a service is not restarted after a mistake in its settings, nor after one that Node itself refuses', () => {
  const refusals = [
    { args: ['--version'], env: { NODE_OPTIONS: '--no-such-option' } },
    // As the start script of control reads its settings.
    { args: [`--env-file=${repository}`, '--eval', ''], env: {} },
  ]
  const ofNode = refusals.map(({ args, env }) => spawnSync(process.execPath, args, { env }).status)
  for (const name of ['imapfleet-edge', 'imapfleet-control']) {
    const unit = readFileSync(join(repository, 'infra/systemd', `${name}.service`), 'utf8')
    const [, statuses = ''] = /^RestartPreventExitStatus=(.*)$/m.exec(unit) ?? []
    for (const status of [2, ...ofNode])
      assert.ok(statuses.split(' ').includes(String(status)), `${name}: ${status} is not in "${statuses}"`)
  }
})
