/**
 * Root directories with Debian 12, made by `npm run debian-roots`: `host` for the tests of our packages, and one for each mail
 * server that cannot be installed beside Dovecot. A server runs in it with its own mounts and process namespace. What it writes is kept in memory, so the root
 * stays as it was installed, and several can run from one root.
 */
import { existsSync, readdirSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort, LocalProcess, removeTemporaryDirectory, runDirectory } from '@imapfleet/local'
import { temporaryGround } from './lone-edge.ts'
import { MailSocket } from './mail-socket.ts'

/** Packages of each root. A mail transport agent only satisfies a dependency. */
export const debianRoots = {
  host: [
    ...[
      'systemd-sysv',
      'dbus',
      'adduser',
      'logrotate',
      'man-db',
      'bash-completion',
      'ca-certificates',
      'curl',
      'procps',
    ],
    ...['libatomic1', 'dovecot-imapd', 'imapproxy', 'msmtp-mta', 'perl-openssl-defaults', 'lintian'],
    ...['postgresql', 'nats-server', 'openssl', 'openssh-server'],
  ],
  cyrus: ['cyrus-imapd', 'sasl2-bin', 'libsasl2-modules', 'msmtp-mta'],
  courier: ['courier-imap', 'courier-authdaemon', 'msmtp-mta'],
} as const

export type DebianRoot = keyof typeof debianRoots

/** Directory of the roots. `IMAPFLEET_DEBIAN_ROOTS` names another one. */
export const debianRootsDirectory = process.env['IMAPFLEET_DEBIAN_ROOTS'] ?? join(runDirectory, 'debian')

/** Why tests with this server cannot run here; false: they can. For the `skip` of a test. */
export function debianRootMissing(name: DebianRoot): string | false {
  if (process.getuid?.() !== 0) return `only root can run ${name} in its own root directory`
  const installed = installedIn(join(debianRootsDirectory, name))
  const missing = debianRoots[name].filter((each) => !installed.has(each))
  return missing.length > 0 && `${name} is not installed, or lacks packages: npm run debian-roots`
}

function installedIn(root: string): Set<string> {
  const lists = join(root, 'var/lib/dpkg/info')
  const files = existsSync(lists) ? readdirSync(lists).filter((file) => file.endsWith('.list')) : []
  return new Set(files.map((file) => file.replace(/(?::\w+)?\.list$/, '')))
}

export interface RootServer {
  port: number
  log: string
  stop(): Promise<void>
}

export interface RootServerSetup {
  root: DebianRoot
  /** Written into the directory that the server sees as /mnt. */
  files: (port: number) => Record<string, string>
  /** Shell commands that set the server up and run it in the foreground. */
  script: (port: number) => string
}

/** Starts a server in its root and waits for its greeting. */
export async function startInRoot({ root, files, script }: RootServerSetup): Promise<RootServer> {
  const ground = temporaryGround()
  const port = await freePort()
  const shared = join(ground.directory, 'shared')
  const layer = join(ground.directory, 'layer')
  await mkdir(shared)
  await mkdir(layer)
  for (const [name, text] of Object.entries({ ...files(port), 'run.sh': `set -e\n${script(port)}` }))
    await writeFile(join(shared, name), text, { mode: 0o644 })
  const mounts = [
    `mount -t tmpfs tmpfs ${layer}`,
    `mkdir ${layer}/upper ${layer}/work ${layer}/root`,
    `mount -t overlay overlay -o lowerdir=${join(debianRootsDirectory, root)},upperdir=${layer}/upper,workdir=${layer}/work ${layer}/root`,
    `mount --bind ${shared} ${layer}/root/mnt`,
    `mount --rbind /dev ${layer}/root/dev`,
    `mount -t proc proc ${layer}/root/proc`,
    // Not `exec`: this shell is the first process of the namespace, and all others end with it.
    `chroot ${layer}/root /bin/sh /mnt/run.sh`,
  ]
  const server = new LocalProcess({
    name: root,
    command: 'unshare',
    args: ['--mount', '--pid', '--fork', '--kill-child', 'sh', '-ec', mounts.join('\n')],
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
    ground: { ...ground, account: undefined },
    isReady: async () => {
      const client = await MailSocket.greeted({ port })
      await client.close()
      return client.greeting.startsWith('* OK')
    },
    // unshare ignores the signals that stop it while it waits for its child.
    graceMs: 1,
  })
  await server.start()
  return {
    port,
    log: server.logFile,
    stop: async () => {
      await server.stop()
      await removeTemporaryDirectory(ground.directory)
    },
  }
}
