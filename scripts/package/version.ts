/** The version of a release. package.json of the repository has it; every workspace must have the same. */
import { execFileSync } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { repository } from '@imapfleet/local'

const versionIn = (file: string) =>
  (JSON.parse(readFileSync(join(repository, file), 'utf8')) as { version: string }).version

/** Throws if a workspace has another version. */
export function releaseVersion(): string {
  const version = versionIn('package.json')
  const others = globSync('{apps,packages}/*/package.json', { cwd: repository })
    .filter((file) => versionIn(file) !== version)
    .sort()
  if (others.length === 0) return version
  throw new Error(`package.json has version ${version}, other than ${others.join(', ')}`)
}

/** Seconds since 1970: SOURCE_DATE_EPOCH, or the date of the commit. All dates in artefacts are this one. */
export function releaseDate(): number {
  const given = process.env['SOURCE_DATE_EPOCH']
  if (given !== undefined && /^\d{1,11}$/.test(given)) return Number(given)
  const args = ['log', '-1', '--format=%ct']
  try {
    return Number(execFileSync('git', args, { cwd: repository, encoding: 'utf8', stdio: 'pipe' }).trim())
  } catch {
    throw new Error('this is not a clone: set SOURCE_DATE_EPOCH to the date of the release')
  }
}
