/**
 * The images: built by buildah from infra/docker, and run as their user with a read-only root file system. `npm run
 * package-test`; needs root, buildah, and apt-get for the libraries of Debian.
 */
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import {
  findProgram,
  freePort,
  LocalProcess,
  node,
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
    const edge = contained(
      'image-edge',
      root,
      config,
      async () => (await fetch(`http://127.0.0.1:${http}/readyz`)).ok,
    )
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

  test('control of the image has its console and its migrations, and needs no shell', async () => {
    const { root, config } = await image('control')
    assert.equal(config.User, '1000:1000')
    const [program = '', ...args] = config.Entrypoint
    const said = await startCommand('chroot', ['--userspec=1000:1000', root, program, ...args, '--version'])
      .ended
    assert.match(said.stdout, /^\d+\.\d+\.\d+\n$/)
    const lib = join(root, 'usr/lib/imapfleet/control')
    assert.match(await readFile(join(lib, 'console/index.html'), 'utf8'), /<script/)
    assert.match(await readFile(join(lib, 'drizzle/meta/_journal.json'), 'utf8'), /0000_fleet/)
    await assert.rejects(readFile(join(root, 'bin/sh')), { code: 'ENOENT' })
  })

  /** As a container runtime does it: a read-only root file system of its own, and the user and command of the image. */
  function contained(
    name: string,
    root: string,
    { User, Entrypoint, Cmd }: z.infer<typeof configSchema>['OCIv1']['config'],
    isReady: () => Promise<boolean>,
  ): LocalProcess {
    const words = [...Entrypoint, ...Cmd].map((word) => `'${word}'`).join(' ')
    const script = [
      `mount --bind ${root} ${root}`,
      `mount -o remount,bind,ro ${root}`,
      `mount -t tmpfs -o uid=1000,gid=1000,mode=700 tmpfs ${root}/var/lib/imapfleet`,
      `! chroot --userspec=0:0 ${root} ${Entrypoint[0]} --eval "require('node:fs').writeFileSync('/x', '')" 2>&-`,
      `exec chroot --userspec=${User} ${root} ${words}`,
    ]
    return new LocalProcess({
      name,
      command: 'unshare',
      args: ['--mount', 'sh', '-ec', script.join('\n')],
      env: { NODE_EXTRA_CA_CERTS: undefined },
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
