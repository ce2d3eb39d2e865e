/**
 * A Debian 12 host in a container: systemd boots it from the root `host` of `npm run debian-roots`. What is written is kept in
 * memory, so every host is a fresh one. It has no network besides its own loopback, and cables to other hosts.
 */
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { kill, pid as ownPid } from 'node:process'
import { LocalProcess, repository } from '@imapfleet/local'
import { startCommand, type Said } from '../support/command.ts'
import { debianRootMissing, debianRootsDirectory } from '../support/debian-root.ts'
import { temporaryGround } from '../support/lone-edge.ts'
import { processExists } from '../support/process-exists.ts'
import { until } from '../support/until.ts'

const nspawn = '/usr/bin/systemd-nspawn'

/** Why there can be no host here; false: there can. */
export function hostMissing(): string | false {
  return existsSync(nspawn)
    ? debianRootMissing('host')
    : 'systemd-nspawn is missing: sudo apt-get install systemd-container'
}

export class DebianHost {
  readonly #container: LocalProcess
  readonly #leader: number
  readonly #cgroups: string[]

  private constructor(container: LocalProcess, leader: number, cgroups: string[]) {
    this.#container = container
    this.#leader = leader
    this.#cgroups = cgroups
  }

  /** @param shared a directory that the host sees as /mnt, read-only. Programs of these tests are in /opt/tests. */
  static async boot(name: string, shared: string): Promise<DebianHost> {
    const found: { leader?: number | undefined } = {}
    const cgroups = hierarchies.map((hierarchy) => `${hierarchy}/${name}-${ownPid}`)
    const container = new LocalProcess({
      name,
      command: 'sh',
      args: [
        ...['-ec', inCgroups(cgroups), nspawn],
        ...['--quiet', '--boot', '--register=no', '--keep-unit', '--private-network', '--volatile=overlay'],
        // The root stays as it is, so several hosts can run from it.
        '--read-only',
        ...['--console=pipe', `--machine=${name}`, `--directory=${join(debianRootsDirectory, 'host')}`],
        ...[`--bind-ro=${shared}:/mnt`, `--bind-ro=${join(repository, 'tests/packages')}:/opt/tests`],
      ],
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
      ground: { ...temporaryGround(), account: undefined },
      isReady: async () => {
        found.leader = await leaderOf(container.pid)
        if (found.leader === undefined) return false
        const { stdout } = await enter(found.leader, 'systemctl is-system-running')
        return /^(running|degraded)$/.test(stdout.trim())
      },
      readyWithinMs: 240_000,
      graceMs: 1,
    })
    try {
      await container.start()
    } catch (error) {
      end(found.leader)
      throw error
    }
    if (found.leader === undefined) throw new Error(`${name} has no processes`)
    const host = new DebianHost(container, found.leader, cgroups)
    // The installation of the root may have left the file that keeps services from being started.
    await host.sh('rm -f /usr/sbin/policy-rc.d')
    return host
  }

  /** Runs a script of bash as root. */
  run(script: string): Promise<Said> {
    return enter(this.#leader, script)
  }

  /** Runs a script that must succeed. Resolves with its standard output. */
  async sh(script: string): Promise<string> {
    const { status, stdout, stderr } = await this.run(script)
    if (status !== 0) throw new Error(`${script}\nended with status ${status}:\n${stdout}${stderr}`)
    return stdout
  }

  /** Lays a cable to another host. The addresses are 10.77.NETWORK.1 here and 10.77.NETWORK.2 there. */
  async connect(other: DebianHost, network: number): Promise<void> {
    const name = `cable${network}`
    const ends = [this, other].map((host) => ['name', name, 'netns', String(host.#leader)])
    await ip(['link', 'add', ...(ends[0] ?? []), 'type', 'veth', 'peer', ...(ends[1] ?? [])])
    for (const [index, host] of [this, other].entries()) {
      await ip(['address', 'add', `10.77.${network}.${index + 1}/24`, 'dev', name], host.#leader)
      await ip(['link', 'set', name, 'up'], host.#leader)
    }
  }

  async stop(): Promise<void> {
    end(this.#leader)
    await this.#container.stop()
    for (const cgroup of this.#cgroups)
      await until(`${cgroup} without processes`, async () => {
        const { status } = await startCommand('find', [cgroup, '-depth', '-type', 'd', '-delete']).ended
        return status === 0
      })
  }
}

/** The kernel then ends all other processes of the container. systemd-nspawn alone would leave them behind. */
function end(leader: number | undefined): void {
  if (leader !== undefined && processExists(leader)) kill(leader, 'SIGKILL')
}

/** Where systemd keeps the processes of each service: with cgroups of version 2, and of version 1. */
const hierarchies = ['/sys/fs/cgroup', '/sys/fs/cgroup/unified', '/sys/fs/cgroup/systemd'].filter(
  (directory) => existsSync(`${directory}/cgroup.procs`),
)

/** Without separate cgroups, services of the same name on several hosts would share a cgroup. */
const inCgroups = (cgroups: string[]): string =>
  [
    ...cgroups.flatMap((cgroup) => [`mkdir ${cgroup}`, `echo $$ > ${cgroup}/cgroup.procs`]),
    'exec "$0" "$@"',
  ].join('\n')

/** @param leader a process in the network namespace of a host; undefined: the namespace of this machine */
async function ip(args: string[], leader?: number): Promise<void> {
  const { status, stderr } = await (leader === undefined
    ? startCommand('ip', args).ended
    : startCommand('nsenter', ['--target', String(leader), '--net', 'ip', ...args]).ended)
  if (status !== 0) throw new Error(`ip ${args.join(' ')}: ${stderr}`)
}

/** The first process of the container: the child of systemd-nspawn. */
async function leaderOf(pid: number | undefined): Promise<number | undefined> {
  if (pid === undefined) return undefined
  for (const task of await readdir(`/proc/${pid}/task`)) {
    const [child] = (await readFile(`/proc/${pid}/task/${task}/children`, 'utf8')).split(' ')
    if (child) return Number(child)
  }
  return undefined
}

/** With the environment that a login of root has. */
function enter(leader: number, script: string): Promise<Said> {
  const environment = [
    'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    'HOME=/root',
    'LC_ALL=C.UTF-8',
  ]
  const all = ['--mount', '--uts', '--ipc', '--net', '--pid', '--cgroup', '--root', '--wd']
  return startCommand('nsenter', [
    ...['--target', String(leader), ...all, 'env', '-i', ...environment, 'DEBIAN_FRONTEND=noninteractive'],
    ...['bash', '-euo', 'pipefail', '-c', script],
  ]).ended
}
