/** The alerts that are shipped, evaluated by Prometheus's own promtool if this machine has it (Debian: prometheus). */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { repository } from '@imapfleet/local'

const directory = `${repository}/infra/prometheus`
const promtool = (...args: string[]) =>
  spawnSync('promtool', args, { cwd: directory, encoding: 'utf8', timeout: 60_000 })
const isMissing = promtool('--version').error !== undefined

test('each alert has a case in which it fires', () => {
  const alerts = [...readFileSync(`${directory}/alerts.yml`, 'utf8').matchAll(/alert: (\w+)/g)].map(
    ([, name]) => name,
  )
  const cases = readFileSync(`${directory}/alerts.test.yml`, 'utf8')
  assert.deepEqual(
    alerts.filter((name) => !cases.includes(`alertname="${name}"`)),
    [],
  )
})

test(
  'alerts fire when they should, also if control is down, and not for a healthy fleet',
  { skip: isMissing },
  () => {
    const { status, stdout, stderr } = promtool('test', 'rules', 'alerts.test.yml')
    assert.equal(status, 0, stdout + stderr)
  },
)

test('Prometheus accepts the scrape configuration', { skip: isMissing }, () => {
  const { status, stdout, stderr } = promtool('check', 'config', '--syntax-only', 'prometheus.yml')
  assert.equal(status, 0, stdout + stderr)
})
