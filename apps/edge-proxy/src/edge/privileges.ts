/** Gives up root after the ports are bound and the keys are read. The edge does not serve clients as root. */
import { execFileSync } from 'node:child_process'
import type { EdgeConfig } from '@imapfleet/config'
import type { Log } from '@imapfleet/observe'
import { EdgeError } from '../errors.ts'

export interface ProcessAccount {
  user: string
  /** Undefined: the primary group of the user. */
  group?: string | undefined
  /** With all groups of the user, like a service of systemd. */
  hasAllGroups?: boolean
}

/** Why an edge that is started as root with these settings refuses to serve. Undefined: it does not refuse. */
export function privilegesProblem({ user, group }: EdgeConfig['process']): string | undefined {
  if (user === undefined || user === 'root' || user === '0')
    return 'the edge does not run as root: set process.user (proc_username), for example to nobody'
  try {
    withAccount({ user, group }, () => undefined)
    return undefined
  } catch (error) {
    const name = `${user}${group === undefined ? '' : ` with group ${group}`}`
    return `cannot change to the user ${name}: ${(error as Error).message}`
  }
}

/** Changes to `process.user` and `process.group`, if the process is root. Throws `privileges` if it would remain root. */
export function dropPrivileges(config: EdgeConfig['process'], log: Log): void {
  const { user, group } = config
  if (process.getuid?.() !== 0) {
    if (user !== undefined)
      log.debug('user_unchanged', { user, reason: 'only root can change to another user' })
    return
  }
  const problem = privilegesProblem(config)
  if (problem !== undefined || user === undefined) throw new EdgeError('privileges', problem ?? '')
  const id = group ?? primaryGroup(user)
  process.setgid!(id)
  process.setgroups!([id])
  process.setuid!(user)
  log.info('user_changed', { user, group })
}

/** Runs synchronous work with the rights of this account, if the process is root. Throws if there is no such account. */
export function withAccount<T>(account: ProcessAccount | undefined, work: () => T): T {
  if (!account || process.getuid?.() !== 0) return work()
  const { user, group, hasAllGroups = false } = account
  const id = group ?? primaryGroup(user)
  const before = { group: process.getegid!(), groups: process.getgroups!() }
  try {
    if (hasAllGroups) initgroups(user, id)
    else process.setgroups!([id])
    process.setegid!(id)
    process.seteuid!(user)
    return work()
  } finally {
    process.seteuid!(0)
    process.setegid!(before.group)
    process.setgroups!(before.groups)
  }
}

/** Missing in the types of Node. */
const { initgroups } = process as unknown as { initgroups: (user: string, group: string | number) => void }

/** Uses the command `id`, because Node has no function for this. */
function primaryGroup(user: string): number {
  try {
    return Number(execFileSync('id', ['-g', user], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }))
  } catch {
    throw new Error('there is no such user')
  }
}
