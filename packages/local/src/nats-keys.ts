/** The keys and accounts of a NATS with a credential for each edge, created by control's own command. */
import { existsSync, rmSync } from 'node:fs'
import { childEnvironment } from './environment.ts'
import { compileCache, ownDirectory, type Ground } from './ground.ts'
import { runToEnd } from './launch.ts'
import { LocalError, outputOf } from './local-error.ts'
import { node } from './paths.ts'
import { programFiles } from './program-files.ts'

export interface NatsKeys {
  /** For nats-server to include. */
  accountsFile: string
  /** Control's credential. */
  credentialsFile: string
  issuerFile: string
  /** The directory of the credentials of edges. They are valid only with these keys. */
  edgesDirectory: string
}

/** Created once for a directory. */
export async function keepNatsKeys(ground: Ground): Promise<NatsKeys> {
  const home = ownDirectory(ground, 'nats')
  const directory = `${home}/keys`
  const keys = {
    accountsFile: `${directory}/accounts.conf`,
    credentialsFile: `${directory}/control.creds`,
    issuerFile: `${directory}/issuer.json`,
    edgesDirectory: ownDirectory(ground, 'nats', 'edges'),
  }
  if (existsSync(keys.accountsFile)) return keys
  // It is written last: without it, the other files are from an interrupted start.
  rmSync(directory, { recursive: true, force: true })
  const args = [
    programFiles.control,
    'nats',
    'init',
    '--dir',
    directory,
    '--resolver-dir',
    `${home}/accounts`,
  ]
  try {
    await runToEnd(ground, node, args, { cwd: home, env: childEnvironment(compileCache(ground)) })
  } catch (error) {
    throw new LocalError('part_failed', `no keys for NATS could be made: ${outputOf(error, 3)}`)
  }
  return keys
}
