/** `imapfleet-control doctor`: what it finds of Postgres, NATS, keys and the port, while control runs, before its start, and if it cannot work. */
import assert from 'node:assert/strict'
import { createServer, type AddressInfo } from 'node:net'
import { after, before, suite, test } from 'node:test'
import { freePort, natsServer, node, programFiles } from '@imapfleet/local'
import type { CheckFinding } from '@imapfleet/observe'
import { runCommand, startCommand } from '../support/command.ts'
import { Plane } from '../support/plane.ts'
import { until } from '../support/until.ts'

suite('doctor of control', () => {
  let plane: Plane
  before(async () => (plane = await Plane.start({ perEdge: true })))
  after(() => plane?.stop())

  const main = programFiles.control
  const settings = (): Record<string, string | undefined> => ({
    DATABASE_URL: plane.postgres.url,
    NATS_URL: plane.nats.url,
    NATS_CREDENTIALS_FILE: plane.nats.keys?.credentialsFile,
    NATS_ISSUER_FILE: plane.nats.keys?.issuerFile,
  })
  const doctor = async (
    env: Record<string, string | undefined> = {},
    port = new URL(plane.control.api).port,
  ) => {
    const args = [main, 'doctor', '--json', '--port', port]
    const { status, stdout, stderr } = await runCommand(node, args, { env: { ...settings(), ...env } })
    assert.equal(stderr, '')
    const { findings } = JSON.parse(stdout) as { findings: CheckFinding[] }
    return { status, findings, bad: findings.filter(({ verdict }) => verdict !== 'ok') }
  }

  test('all is well while control runs', async () => {
    const { status, findings, bad } = await doctor()
    assert.deepEqual(bad, [])
    assert.equal(status, 0)
    const seen = findings.map(({ check, text }) => `${check}: ${text}`).join('\n')
    for (const expected of [
      /^postgres: version 1[5-9]/m,
      /^postgres: accepts writes$/m,
      /^migrations: all \d+ are applied$/m,
      /^clock: differs from the clock of Postgres by 0\.\d s$/m,
      /^nats: JetStream is enabled$/m,
      /^replicas: streams have 1$/m,
      /^issuer: nats-server knows the account that it signs$/m,
      /^port: 127\.0\.0\.1 port \d+ is used by the control that runs$/m,
    ])
      assert.match(seen, expected)
  })

  test('each thing that is wrong is named, with what to do, and the rest is checked', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const { status, bad } = await doctor({ NATS_REPLICAS: '3', NATS_ISSUER_FILE: '/nowhere' }, `${port}`)
    server.close()
    assert.equal(status, 1)
    const byCheck = new Map(bad.map((each) => [each.check, each]))
    assert.deepEqual([...byCheck.keys()].toSorted(), ['files', 'port', 'replicas'])
    assert.match(byCheck.get('files')?.text ?? '', /NATS_ISSUER_FILE: cannot read \/nowhere/)
    assert.match(byCheck.get('port')?.text ?? '', /port \d+ on 127\.0\.0\.1 is in use/)
    assert.match(byCheck.get('replicas')?.text ?? '', /NATS cannot keep so many copies/)
    assert.match(byCheck.get('replicas')?.remedy ?? '', /NATS_REPLICAS=1/)
  })

  test('an unreachable Postgres, NATS without a credential, a standby, and missing tables', async () => {
    const nowhere = await doctor({
      DATABASE_URL: 'postgres://x@127.0.0.1:1/x',
      NATS_CREDENTIALS_FILE: undefined,
    })
    assert.match(nowhere.bad.find(({ check }) => check === 'postgres')?.text ?? '', /ECONNREFUSED/)
    assert.match(nowhere.bad.find(({ check }) => check === 'nats')?.text ?? '', /Authorization/i)
    const away = await doctor({ NATS_URL: 'nats://127.0.0.1:1' })
    assert.equal(away.bad.find(({ check }) => check === 'issuer')?.remedy, 'see the checks of NATS')

    await plane.sql.unsafe('create database fresh')
    const fresh = await doctor({ DATABASE_URL: plane.postgres.url.replace(/\/\w+$/, '/fresh') })
    assert.deepEqual(fresh.bad, [])
    assert.match(
      fresh.findings.find(({ check }) => check === 'migrations')?.text ?? '',
      /^(\d+) of \1 are applied at the next start$/,
    )
    await plane.sql.unsafe('alter database fresh set default_transaction_read_only = on')
    const readOnly = await doctor({ DATABASE_URL: plane.postgres.url.replace(/\/\w+$/, '/fresh') })
    assert.match(readOnly.bad[0]?.text ?? '', /default_transaction_read_only is on/)
  })

  test('a misspelt setting, and a password that is no URL, are named without a stack trace', async () => {
    const misspelt = await doctor({ NATS_CREDENTIAL_FILE: '/x', NATS_SERVICE_HOST: '10.0.0.1' })
    assert.deepEqual(
      misspelt.bad.map(({ text }) => text),
      ['NATS_CREDENTIAL_FILE is not a setting, and has no effect'],
    )
    assert.equal(misspelt.status, 0)
    const broken = await doctor({ DATABASE_URL: 'postgres://imapfleet:100%@127.0.0.1/x' })
    assert.match(broken.bad[0]?.text ?? '', /^DATABASE_URL must be like .*percent codes/)
    assert.equal(broken.status, 1)
  })

  test('output that cannot be written is a failure, and a reader that leaves is none', async () => {
    const run = (script: string) => runCommand('bash', ['-c', script, node, main], { env: settings() })
    const full = await run('"$0" "$1" openapi > /dev/full')
    assert.equal(full.status, 1)
    assert.equal(full.stderr, 'imapfleet-control: cannot write the output: ENOSPC\n')
    const left = await run('set -o pipefail; "$0" "$1" openapi | true')
    assert.deepEqual([left.status, left.stderr], [0, ''])
  })

  test('NATS_REPLICAS=3 and one server: log, /readyz and doctor name the setting, not an outage', async () => {
    const lone = await natsServer({ ground: plane.ground, name: 'lone' })
    await lone.process?.start()
    const port = await freePort()
    const env = {
      DATABASE_URL: plane.postgres.url,
      NATS_URL: lone.url,
      NATS_TOKEN_FILE: lone.tokenFile,
      NATS_CREDENTIALS_FILE: undefined,
      NATS_ISSUER_FILE: undefined,
      NATS_REPLICAS: '3',
    }
    const control = startCommand(node, [main, 'all', '--port', `${port}`], { env })
    try {
      const ready = await until('a refused stream', async () => {
        const text = await (await fetch(`http://127.0.0.1:${port}/readyz`)).text()
        return text.includes('JetStream') && text
      })
      const { nats } = JSON.parse(ready) as { nats: string }
      assert.match(nats, /NATS_REPLICAS is 3: set it to 1, or run 3 servers as a cluster/)
      assert.match(control.stderr(), /warn NATS makes no streams reason=".*NATS_REPLICAS is 3/)
      assert.doesNotMatch(control.stderr(), /NATS is unavailable/)
      const { status, bad } = await doctor(env, `${port}`)
      assert.equal(status, 1)
      assert.deepEqual(
        bad.map(({ check }) => check),
        ['replicas', 'port'],
      )
      assert.match(bad[0]?.text ?? '', /^NATS_REPLICAS is 3, and NATS cannot keep so many copies/)
      assert.match(bad[1]?.text ?? '', /^it is not ready: .*NATS_REPLICAS is 3/)
    } finally {
      control.child.kill('SIGTERM')
      await control.ended
      await lone.process?.stop()
    }
  })
})
