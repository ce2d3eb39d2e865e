/** The bundles of `npm run package`: what is installed on hosts does the same as the sources. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import {
  controlPlane,
  freePort,
  layGround,
  natsServer,
  node,
  postgresServer,
  removeTemporaryDirectory,
  repository,
  temporaryDirectory,
} from '@imapfleet/local'
import { runCommand, startCommand } from '../support/command.ts'
import { LoneEdge } from '../support/lone-edge.ts'
import { StubImapd } from '../support/stub-imapd.ts'

suite('bundles', () => {
  let directory: string
  const bundle = (name: string) => join(directory, 'first', name)
  const build = async (name: string) => {
    const to = join(directory, name)
    const args = ['scripts/package.ts', '--bundles', '--directory', to]
    // Without the time limit of runCommand: the first build also builds the console.
    const { status, stderr } = await startCommand(node, args).ended
    assert.equal(status, 0, stderr)
    return await readFile(join(to, 'SHA256SUMS'), 'utf8')
  }
  let sums: string
  before(async () => {
    directory = temporaryDirectory('bundles')
    sums = await build('first')
  })
  after(() => removeTemporaryDirectory(directory))

  test('a second build has the same checksums', async () => {
    assert.match(sums, /  imapfleet-edge\.mjs$/m)
    assert.equal(await build('second'), sums)
  })

  test('every program prints the version of the release', async () => {
    const { version } = JSON.parse(await readFile(join(repository, 'package.json'), 'utf8')) as {
      version: string
    }
    const printed = await Promise.all(
      ['imapfleet-edge.mjs', 'imapfleet-control.mjs', 'imapfleet.mjs'].map(async (name) => {
        const { status, stdout, stderr } = await runCommand(node, [bundle(name), '--version'])
        assert.equal(status, 0, stderr)
        return stdout.trim()
      }),
    )
    assert.deepEqual(printed, [`imapfleet-edge ${version}`, version, version])
  })

  test('a call that only checks is kept, although its result is not used', async () => {
    const { status, stdout, stderr } = await runCommand(node, [bundle('imapfleet-control.mjs'), 'doctor'], {
      env: { DATABASE_URL: 'postgres://imapfleet:100%@127.0.0.1/x' },
    })
    assert.match(stdout, /^fail  settings  DATABASE_URL must be like .*percent codes/m)
    assert.deepEqual([status, stderr], [1, ''])
  })

  test('the edge serves a login, and reuses its connection', async () => {
    const stub = new StubImapd(await freePort())
    stub.account('alice', 'open sesame')
    await stub.listen()
    const edge = await LoneEdge.start(stub.port, {}, undefined, bundle('imapfleet-edge.mjs'))
    try {
      const page = async () => {
        const client = await edge.client()
        const { status, untagged } = await client.command('LOGIN alice "open sesame"')
        assert.equal(status, 'OK')
        await client.command('LOGOUT')
        await client.close()
        return untagged.some((line) => line.includes('XPROXYREUSE'))
      }
      assert.equal(await page(), false)
      await edge.settled(1)
      assert.equal(await page(), true)
    } finally {
      await edge.stop()
      await stub.close()
    }
    assert.deepEqual(stub.faults, [])
  })

  test('control migrates an empty database, makes a token, and serves its API and the console beside it', async () => {
    const ground = layGround(join(directory, 'plane'))
    const [nats, postgres] = await Promise.all([
      natsServer({ ground }),
      postgresServer({ ground, durable: false }),
    ])
    await Promise.all([nats.process?.start(), postgres.process?.start()])
    const program = bundle('imapfleet-control.mjs')
    const control = await controlPlane({ ground, nats, postgres, program })
    try {
      await control.process.start()
      const token = await control.createToken('tests', 'admin')
      const edges = await runCommand(node, [bundle('imapfleet.mjs'), 'edges', '--output', 'json'], {
        env: { IMAPFLEET_SERVER: control.api, IMAPFLEET_TOKEN: token },
      })
      assert.deepEqual([edges.status, (JSON.parse(edges.stdout) as { edges: unknown[] }).edges], [0, []])
      const page = await (await fetch(`${control.api}/`)).text()
      const [, script = ''] = /src="(\/assets\/[^"]+\.js)"/.exec(page) ?? []
      assert.equal(
        (await fetch(`${control.api}${script}`)).headers.get('content-type')?.split(';')[0],
        'text/javascript',
      )
    } finally {
      await control.process.stop()
      await Promise.all([nats.process?.stop(), postgres.process?.stop()])
    }
  })
})
