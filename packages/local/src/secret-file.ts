/** Files that only their owner can read: passwords and tokens that stay the same between starts. */
import { randomBytes } from 'node:crypto'
import { chownSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { SystemAccount } from './account.ts'

/** Replaces a file in one step, so that a reader sees the old or the new content. */
export function writePrivate(file: string, text: string, owner?: SystemAccount): void {
  mkdirSync(dirname(file), { recursive: true })
  const fresh = `${file}.${process.pid}.new`
  writeFileSync(fresh, text, { mode: 0o600 })
  if (owner) chownSync(fresh, owner.uid, owner.gid)
  renameSync(fresh, file)
}

/** The secret in this file, made at random if there is none. */
export function keepSecret(file: string, owner?: SystemAccount): string {
  if (existsSync(file)) {
    const kept = readFileSync(file, 'utf8').trim()
    if (kept !== '') return kept
  }
  const secret = randomBytes(24).toString('base64url')
  writePrivate(file, `${secret}\n`, owner)
  return secret
}
