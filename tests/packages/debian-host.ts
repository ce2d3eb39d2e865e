/**
 * A Debian 12 host in a container: systemd boots it from the root `host` of `npm run debian-roots`. What is written is kept in
 * memory, so every host is a fresh one. It has no network besides its own loopback.
 */
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { LocalProcess } from '@imapfleet/local'
import { startCommand, type Said } from '../support/command.ts'
import { debianRootMissing, debianRootsDirectory } from '../support/debian-root.ts'
import { temporaryGround } from '../support/lone-edge.ts'

const nspawn = '/usr/bin/systemd-nspawn'

/** Why there can be no host here; false: there can. */
export function hostMissing(): string | false {
  return existsSync(nspawn)
    ? debianRootMissing('host')
    : 'systemd-nspawn is missing: sudo apt-get install systemd-container'
}

export class DebianHost {
  readonly #process: LocalProcess
  readonly #leader: number

  private constructor(process: LocalProcess, leader: number) {
    this.#process = process
    this.#leader = leader
  }

  /** @param shared a directory that the host sees as /mnt, read-only */
  static async boot(name: string, shared: string): Promise<DebianHost> {
    let leader: number | undefined
    const process = new LocalProcess({
      name,
      command: nspawn,
      args: [
        ...['--quiet', '--boot', '--register=no', '--keep-unit', '--private-network', '--volatile=overlay'],
        ...['--console=pipe', `--machine=${name}`, `--directory=${join(debianRootsDirectory, 'host')}`],
        `--bind-ro=${shared}:/mnt`,
      ],
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
      ground: { ...temporaryGround(), account: undefined },
      isReady: async () => {
        leader = await leaderOf(process.pid)
        if (leader === undefined) return false
        const { stdout } = await enter(leader, 'systemctl is-system-running')
        return /^(running|degraded)$/.test(stdout.trim())
      },
      readyWithinMs: 120_000,
      graceMs: 1,
    })
    await process.start()
    return new DebianHost(process, leader ?? 0)
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

  async stop(): Promise<void> {
    await this.#process.stop()
  }
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
