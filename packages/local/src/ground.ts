/** The directory of a set of parts, and the account that they run as. Every part gets it. */
import { chownSync, existsSync, mkdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { accountFor, type SystemAccount } from './account.ts'
import { LocalError, messageOf } from './local-error.ts'
import { node, repository } from './paths.ts'
import { compiledCode } from './program-files.ts'

export interface Ground {
  /** Contains the logs, the process ids, and a directory for each part. Absolute. */
  directory: string
  account: SystemAccount | undefined
}

export function layGround(directory: string): Ground {
  try {
    if (!existsSync(directory)) make(directory)
  } catch (error) {
    throw new LocalError('no_access', `cannot make ${directory}: ${messageOf(error)}`)
  }
  const owner = statSync(directory).uid
  const self = process.getuid?.() ?? owner
  if (self !== 0 && self !== owner)
    throw new LocalError(
      'no_access',
      `${directory} belongs to another user, who started it before: remove it, or run sudo chown -R $(id -u) ${directory}`,
    )
  return { directory, account: accountFor(directory, [`${repository}/package.json`, node]) }
}

/** Files that root creates in a user's clone get the owner of the clone, so that the user can continue without root. */
function make(directory: string): void {
  mkdirSync(directory, { recursive: true })
  const { uid, gid } = statSync(dirname(directory))
  if (process.getuid?.() === 0 && uid !== 0) chownSync(directory, uid, gid)
}

/** A directory that belongs to the account of the parts. */
export function ownDirectory(ground: Ground, ...names: string[]): string {
  const path = join(ground.directory, ...names)
  mkdirSync(path, { recursive: true })
  if (ground.account) chownSync(path, ground.account.uid, ground.account.gid)
  return path
}

/**
 * Environment variables that make Node keep compiled code, so that our processes start in half the time. The cache is
 * shared by every set of parts in this clone, or in the directory of the set if the clone is not writable.
 */
export function compileCache(ground: Ground): { NODE_COMPILE_CACHE: string } {
  try {
    const shared = { ...ground, directory: compiledCode }
    return { NODE_COMPILE_CACHE: ownDirectory(shared, `parts-${ground.account?.user ?? 'own'}`) }
  } catch {
    return { NODE_COMPILE_CACHE: ownDirectory(ground, 'compile-cache') }
  }
}
