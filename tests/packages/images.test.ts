/**
 * The images: built by buildah from infra/docker, and run as their user with a read-only root file system, control with a real
 * Postgres and NATS. `npm run package-test`; needs root, buildah, and apt-get for the libraries of Debian.
 */
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import {
  findProgram,
  freePort,
  layGround,
  LocalProcess,
  natsServer,
  node,
  postgresServer,
  removeTemporaryDirectory,
  repository,
  temporaryDirectory,
} from '@imapfleet/local'
import { z } from 'zod'
import { startCommand } from '../support/command.ts'
import { MailSocket } from '../support/mail-socket.ts'
import { StubImapd } from '../support/stub-imapd.ts'

const missing =
  process.getuid?.() !== 0
    ? 'only root can build images here'
    : findProgram('buildah') === undefined && 'buildah is missing: sudo apt-get install buildah'

const configSchema = z.object({
  OCIv1: z.object({
    config: z.object({ User: z.string(), Entrypoint: z.array(z.string()), Cmd: z.array(z.string()) }),
  }),
})

interface Contained {
  name: string
  root: string
  config: z.infer<typeof configSchema>['OCIv1']['config']
  /** The one directory in which it can write. */
  state?: string
  env?: Record<string, string>
  isReady: () => Promise<boolean>
}

suite('images', { skip: missing }, () => {
  let directory: string
  const buildah = async (...args: string[]) => {
    const store = ['--root', join(directory, 'store'), '--runroot', join(directory, 'run')]
    const said = await startCommand('buildah', [...store, '--storage-driver', 'vfs', ...args]).ended
    assert.equal(said.status, 0, `buildah ${args.join(' ')}: ${said.stderr}`)
    return said.stdout.trim()
  }
  /** The mounted file system of an image, and what it runs. */
  const image = async (name: string) => {
    const file = join(repository, 'infra/docker', `${name}.Dockerfile`)
    await buildah('build', '--isolation', 'chroot', '--quiet', '--file', file, '--tag', name, directory)
    const config = configSchema.parse(JSON.parse(await buildah('inspect', '--type', 'image', name))).OCIv1
      .config
    const container = await buildah('from', '--pull-never', name)
    return { root: await buildah('mount', container), config }
  }
  before(async () => {
    directory = temporaryDirectory('images')
    const args = ['scripts/package.ts', '--images', '--directory', join(directory, 'dist')]
    const { status, stderr } = await startCommand(node, args).ended
    assert.equal(status, 0, stderr)
  })
  after(() => removeTemporaryDirectory(directory))

  test('the edge serves mail as user 1000, and can write to its state directory only', async () => {
    const { root, config } = await image('edge')
    assert.equal(config.User, '1000:1000')
    const stub = new StubImapd(await freePort())
    stub.account('alice', 'open sesame')
    await stub.listen()
    const [port, http] = [await freePort(), await freePort()]
    await writeFile(
      join(root, 'etc/imapfleet/edge.yaml'),
      JSON.stringify({
        listeners: { imap: { address: '127.0.0.1', port } },
        upstreams: { main: { hosts: ['127.0.0.1'], port: stub.port } },
        http: { port: http },
      }),
    )
    const edge = contained({
      name: 'image-edge',
      root,
      config,
      state: '/var/lib/imapfleet',
      isReady: async () => (await fetch(`http://127.0.0.1:${http}/readyz`)).ok,
    })
    try {
      await edge.start()
      const client = await MailSocket.greeted({ port })
      assert.equal((await client.command('LOGIN alice "open sesame"')).status, 'OK')
      await client.command('LOGOUT')
      await client.close()
      const status = await readFile(`/proc/${await pidOf(http)}/status`, 'latin1')
      assert.match(status, /^Uid:\t1000\t1000/m)
    } finally {
      await edge.stop()
      await stub.close()
    }
    assert.deepEqual(stub.faults, [])
  })

  test('control makes its tables, is ready and serves its console, and writes no files', async () => {
    const { root, config } = await image('control')
    assert.equal(config.User, '1000:1000')
    await assert.rejects(readFile(join(root, 'bin/sh')), { code: 'ENOENT' })
    const ground = layGround(join(directory, 'services'))
    const [nats, postgres] = await Promise.all([
      natsServer({ ground }),
      postgresServer({ ground, durable: false }),
    ])
    await Promise.all([nats.process?.start(), postgres.process?.start()])
    const token = '/etc/imapfleet/nats-token'
    await writeFile(join(root, token), await readFile(nats.tokenFile ?? assert.fail()), { mode: 0o644 })
    const port = await freePort()
    const control = contained({
      name: 'image-control',
      root,
      config: { ...config, Cmd: ['all', '--port', `${port}`] },
      env: { DATABASE_URL: postgres.url, NATS_URL: nats.url, NATS_TOKEN_FILE: token },
      isReady: async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).ok,
    })
    try {
      await control.start()
      assert.match(await (await fetch(`http://127.0.0.1:${port}/`)).text(), /<script/)
      assert.match(await readFile(`/proc/${await pidOf(port)}/status`, 'latin1'), /^Uid:\t1000\t1000/m)
    } finally {
      await control.stop()
      await Promise.all([nats.process?.stop(), postgres.process?.stop()])
    }
  })

  /** As a container runtime does it: a separate read-only root file system, and the user and command of the image. */
  function contained({
    name,
    root,
    config: { User, Entrypoint, Cmd },
    state,
    env,
    isReady,
  }: Contained): LocalProcess {
    const words = [...Entrypoint, ...Cmd].map((word) => `'${word}'`).join(' ')
    const script = [
      `mount --bind ${root} ${root}`,
      `mount -o remount,bind,ro ${root}`,
      ...(state === undefined ? [] : [`mount -t tmpfs -o uid=1000,gid=1000,mode=700 tmpfs ${root}${state}`]),
      `! chroot --userspec=0:0 ${root} ${Entrypoint[0]} --eval "require('node:fs').writeFileSync('/x', '')" 2>&-`,
      `exec chroot --userspec=${User} ${root} ${words}`,
    ]
    return new LocalProcess({
      name,
      command: 'unshare',
      args: ['--mount', 'sh', '-ec', script.join('\n')],
      env: { NODE_EXTRA_CA_CERTS: undefined, ...env },
      ground: { directory, account: undefined },
      isReady,
    })
  }
})

/** The process that listens on a port of loopback. */
async function pidOf(port: number): Promise<string> {
  const { stdout } = await startCommand('ss', ['-Hltnp', `sport = :${port}`]).ended
  return /pid=(\d+)/.exec(stdout)?.[1] ?? assert.fail(`no process listens on ${port}`)
}
