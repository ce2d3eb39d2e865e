/**
 * The account that parts run as. An ordinary user runs them as himself. Root starts them as an account without rights:
 * Postgres and Dovecot refuse to work as root, and nothing else needs it either.
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
  /** Set when it cannot walk to its files by itself, such as in a clone beneath /root: then it is lent that right. */
  needsWay: boolean
}

/**
 * Undefined: as whoever we are. As root: the owner of what an earlier start has left, else `postgres`, else `nobody`.
 * `files` are what it must be able to read, `directory` is where its data goes.
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

/** Names of whoever runs this process. */
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
