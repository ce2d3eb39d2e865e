/**
 * Programs from Debian's packages: unpacked into the clone where a program works from anywhere, installed where its
 * paths are compiled in. Nothing here is called when the program is already there.
 */
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { childEnvironment, environment } from './environment.ts'
import { LocalError, outputOf } from './local-error.ts'

const run = promisify(execFile)
const isRoot = process.getuid?.() === 0
const env = childEnvironment({ DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' })

/** A program on the PATH or where Debian keeps servers, which is on no ordinary user's PATH. */
export function findProgram(name: string): string | undefined {
  const directories = [...environment.programDirectories, '/usr/sbin', '/usr/local/sbin']
  return directories.map((directory) => join(directory, name)).find((path) => existsSync(path))
}

/** Downloads a package and unpacks it into `directory`, which needs no rights. False: it cannot be had. */
export async function unpackPackage(name: string, directory: string): Promise<boolean> {
  if (!findProgram('apt-get') || !findProgram('dpkg-deb')) return false
  mkdirSync(dirname(directory), { recursive: true })
  const scratch = mkdtempSync(`${directory}.`)
  try {
    await download(name, scratch)
    const archive = readdirSync(scratch).find((file) => file.endsWith('.deb'))
    if (!archive) return false
    await run('dpkg-deb', ['-x', join(scratch, archive), join(scratch, 'root')])
    rmSync(directory, { recursive: true, force: true })
    renameSync(join(scratch, 'root'), directory)
    return true
  } catch {
    return false
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

async function download(name: string, directory: string): Promise<void> {
  const get = () => run('apt-get', ['download', '-qq', name], { cwd: directory, env })
  try {
    await get()
  } catch (error) {
    if (!isRoot) throw error
    await run('apt-get', ['update', '-qq'], { env })
    await get()
  }
}

/** Installs a package as root; false for anyone else. A service that Debian starts along with it is stopped again. */
export async function installPackage(
  name: string,
  service: string,
  note?: (text: string) => void,
): Promise<boolean> {
  if (!isRoot || !findProgram('apt-get')) return false
  note?.(`installing ${name} with apt-get`)
  const install = () =>
    run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', name], {
      env: { ...env, RUNLEVEL: '1' },
      maxBuffer: 1 << 26,
    })
  try {
    await run('apt-get', ['update', '-qq'], { env })
    await install()
  } catch (error) {
    throw new LocalError('program_missing', `apt-get install ${name} failed: ${outputOf(error, 2)}`)
  }
  if (existsSync('/run/systemd/system'))
    await run('systemctl', ['disable', '--now', service]).catch(() => undefined)
  return true
}
