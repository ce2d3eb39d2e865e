/**
 * Programs from Debian packages: unpacked into the clone if a program works from any directory, installed if its
 * paths are compiled in. Called only if the program is missing.
 */
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { retry } from '@imapfleet/retry'
import { childEnvironment, environment } from './environment.ts'
import { LocalError, outputOf } from './local-error.ts'
import { removeTemporaryDirectory, temporaryDirectory } from './temporary-directory.ts'

const run = promisify(execFile)
const isRoot = process.getuid?.() === 0
const env = childEnvironment({ DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C', RUNLEVEL: '1' })

/** A program on the PATH, or in the directories of Debian for servers, which are not on the PATH of ordinary users. */
export function findProgram(name: string): string | undefined {
  const directories = [...environment.programDirectories, '/usr/sbin', '/usr/local/sbin']
  return directories.map((directory) => join(directory, name)).find((path) => existsSync(path))
}

/** Downloads a package and unpacks it into `directory`, without privileges. A text: the reason why it failed. */
export async function unpackPackage(name: string, directory: string): Promise<string | undefined> {
  if (!findProgram('apt-get') || !findProgram('dpkg-deb')) return 'this machine has no apt-get'
  mkdirSync(dirname(directory), { recursive: true })
  const scratch = temporaryDirectory('package', dirname(directory))
  try {
    await download(name, scratch)
    const archive = readdirSync(scratch).find((file) => file.endsWith('.deb')) ?? ''
    await run('dpkg-deb', ['-x', join(scratch, archive), join(scratch, 'root')])
    rmSync(directory, { recursive: true, force: true })
    renameSync(join(scratch, 'root'), directory)
    return undefined
  } catch (error) {
    return outputOf(error, 1)
  } finally {
    await removeTemporaryDirectory(scratch)
  }
}

async function download(name: string, directory: string): Promise<void> {
  const get = () => apt(['download', name], directory)
  try {
    await get()
  } catch (error) {
    if (!isRoot) throw error
    await updateLists()
    await get()
  }
}

/** Installs a package as root; false for other users. A service that Debian starts with it is stopped again. */
export async function installPackage(
  name: string,
  service: string,
  note?: (text: string) => void,
): Promise<boolean> {
  if (!isRoot || !findProgram('apt-get')) return false
  note?.(`installing ${name} with apt-get`)
  try {
    await updateLists()
    await apt(['install', '-y', '--no-install-recommends', name])
  } catch (error) {
    throw new LocalError('program_missing', `apt-get install ${name} failed: ${outputOf(error, 2)}`)
  }
  if (existsSync('/run/systemd/system'))
    await run('systemctl', ['disable', '--now', service]).catch(() => undefined)
  return true
}

let update: Promise<void> | undefined
let last: Promise<unknown> = Promise.resolve()

/** Once is enough for all packages of one start. */
const updateLists = () => (update ??= apt(['update']))

/** Runs one apt-get at a time, because of its locks, and waits for other programs such as unattended upgrades. */
function apt(args: string[], cwd = '/'): Promise<void> {
  const patience = ['-o', 'DPkg::Lock::Timeout=120']
  const attempt = async () => {
    await run('apt-get', ['-qq', ...patience, ...args], { cwd, env, maxBuffer: 1 << 26 })
  }
  // The lock of the package lists has no timeout of its own.
  const isLocked = (error: unknown) => outputOf(error, 5).includes('/lists/lock')
  const work = () => retry(attempt, { firstMs: 3_000, lastMs: 3_000, attemptsMax: 20, isPassing: isLocked })
  const turn = last.then(work)
  last = turn.catch(() => undefined)
  return turn
}
