/**
 * The account that the parts run as. For an ordinary user it is the same user. Root starts them as an unprivileged
 * account, because Postgres and Dovecot refuse to run as root.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { userInfo } from 'node:os'
import { LocalError } from './local-error.ts'

export interface SystemAccount {
  uid: number
  gid: number
  user: string
  group: string
  /** True if the account cannot reach its files, for example in a clone below /root. It then gets that right. */
  needsWay: boolean
}

/**
 * Undefined: the present user. For root: the owner of the files of an earlier start, or `postgres`, or `nobody`.
 * `files` must be readable for it; `directory` is for its data.
 */
export function accountFor(directory: string, files: string[]): SystemAccount | undefined {
  if (process.getuid?.() !== 0) return undefined
  const owners = [directory, `${directory}/nats`].flatMap((path) =>
    existsSync(path) ? [statSync(path).uid] : [],
  )
  const owner = owners.find((uid) => uid !== 0)
  const entries = readEntries('/etc/passwd')
  const entry =
    entries.find(({ id }) => id === owner) ??
    entries.find(({ name }) => name === 'postgres') ??
    entries.find(({ name }) => name === 'nobody')
  if (!entry)
    throw new LocalError(
      'no_access',
      'root needs a user named postgres or nobody to run the parts as: make one',
    )
  const group = groupName(entry.group)
  const account = { uid: entry.id, gid: entry.group, user: entry.name, group }
  return { ...account, needsWay: !canReach(account, directory, files) }
}

/** Names of the present user. */
export function ownAccount(): { user: string; group: string } {
  const { username, gid } = userInfo()
  return { user: username, group: groupName(gid) }
}

interface Entry {
  name: string
  id: number
  group: number
}

const groupName = (gid: number) => readEntries('/etc/group').find(({ id }) => id === gid)?.name ?? String(gid)

function readEntries(file: string): Entry[] {
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : []
  return lines.flatMap((line) => {
    const [name, , id, group] = line.split(':')
    return name && id ? [{ name, id: Number(id), group: Number(group) }] : []
  })
}

function canReach(account: { uid: number; gid: number }, directory: string, files: string[]): boolean {
  const conditions = ['-x', directory, ...files.flatMap((file) => ['-a', '-r', file])]
  return spawnSync('test', conditions, { uid: account.uid, gid: account.gid, cwd: '/' }).status === 0
}
