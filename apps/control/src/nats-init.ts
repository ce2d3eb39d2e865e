/** `imapfleet-control nats init`: writes the files of a new NATS installation. It never overwrites a file. */
import { chownSync, existsSync, mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { makeInstallation } from './features/enrolments/installation.ts'
import { writeNewFile } from './platform/write-new-file.ts'

/** The files in the directory. */
const natsFiles = {
  accounts: 'accounts.conf',
  credentials: 'control.creds',
  issuer: 'issuer.json',
  roots: 'roots.json',
} as const

/**
 * If root calls it, files that a program reads get the owner of the directory. Throws if one of the files exists, or cannot
 * be written.
 */
export async function initNats(directory: string, resolverDir: string): Promise<string[]> {
  const path = (name: keyof typeof natsFiles) => join(directory, natsFiles[name])
  for (const name of Object.keys(natsFiles) as (keyof typeof natsFiles)[])
    if (existsSync(path(name)))
      throw new Error(
        `${path(name)} already exists. The keys of a fleet are created once; use another directory.`,
      )
  const made = await makeInstallation(resolverDir)
  mkdirSync(directory, { recursive: true, mode: 0o755 })
  writeNewFile(path('roots'), `${JSON.stringify(made.roots, null, 2)}\n`, 0o600)
  writeNewFile(path('issuer'), `${JSON.stringify(made.issuer, null, 2)}\n`, 0o600)
  writeNewFile(path('credentials'), made.controlCredentials, 0o600)
  writeNewFile(path('accounts'), made.serverConfig, 0o644)
  // Control reads them as its own user, which owns the directory that its package makes.
  const { uid, gid } = statSync(directory)
  if (process.getuid?.() === 0)
    for (const name of ['issuer', 'credentials', 'accounts'] as const) chownSync(path(name), uid, gid)
  return [
    `${path('accounts')}  include it in the configuration of every nats-server; it contains no secret`,
    `${path('credentials')}  the credentials of control: set NATS_CREDENTIALS_FILE`,
    `${path('issuer')}  signs credentials of edges: set NATS_ISSUER_FILE`,
    `${path('roots')}  the root keys; no program needs them: store this file offline`,
  ]
}
