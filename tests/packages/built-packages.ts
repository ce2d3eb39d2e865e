/** The Debian packages of this checkout. `IMAPFLEET_PACKAGES` names a directory that has them; `npm run package-test` sets it. */
import assert from 'node:assert/strict'
import { resolve } from 'node:path'
import { node, removeTemporaryDirectory, repository, temporaryDirectory } from '@imapfleet/local'
import { startCommand, type RunOptions } from '../support/command.ts'

export interface BuiltPackages {
  directory: string
  remove(): Promise<void>
}

export async function builtPackages(): Promise<BuiltPackages> {
  const built = process.env['IMAPFLEET_PACKAGES']
  if (built !== undefined)
    return { directory: resolve(repository, built), remove: async () => await Promise.resolve() }
  const directory = temporaryDirectory('packages')
  await buildPackages(directory)
  return { directory, remove: async () => await removeTemporaryDirectory(directory) }
}

/** Without compression, which is faster. */
export async function buildPackages(
  directory: string,
  env?: RunOptions['env'],
  umask = '022',
): Promise<void> {
  const command = `umask ${umask}; exec ${node} scripts/package.ts --uncompressed --directory ${directory}`
  const { status, stderr } = await startCommand('sh', ['-c', command], { env }).ended
  assert.equal(status, 0, stderr)
}
