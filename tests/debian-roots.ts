/** `npm run debian-roots`: installs the root directories of tests/support/debian-root.ts. Needs root. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import {
  debianRootMissing,
  debianRoots,
  debianRootsDirectory,
  type DebianRoot,
} from './support/debian-root.ts'

const mirror = 'http://deb.debian.org/debian'
const cache = join(debianRootsDirectory, 'packages')
mkdirSync(cache, { recursive: true })
for (const name of Object.keys(debianRoots) as DebianRoot[]) {
  if (debianRootMissing(name) === false) continue
  const directory = join(debianRootsDirectory, name)
  // One of an earlier version may lack packages.
  rmSync(directory, { recursive: true, force: true })
  const include = `--include=${debianRoots[name].join(',')}`
  const args = ['--variant=minbase', `--cache-dir=${cache}`, include, 'bookworm', directory, mirror]
  const { status, error } = spawnSync('debootstrap', args, { stdio: 'inherit' })
  if (status === 0) continue
  // A root that is half installed must not be taken for a whole one.
  rmSync(directory, { recursive: true, force: true })
  process.stderr.write(
    `${name}: debootstrap failed${error ? `: ${error.message}` : ''}; run as root: apt-get install debootstrap\n`,
  )
  process.exitCode = 1
}
