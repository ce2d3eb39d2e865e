/** Root binds the ports and reads the keys; then the process becomes somebody without rights, or does not run. */
import { execFileSync } from 'node:child_process'
import type { EdgeConfig } from '@imapfleet/config'
import type { Log } from '@imapfleet/observe'
import { EdgeError } from '../errors.ts'

/** Becomes `process.user` and `process.group`. Throws `privileges` where root would remain root. */
export function dropPrivileges(config: EdgeConfig['process'], log: Log): void {
  const { user, group } = config
  if (process.getuid?.() !== 0) {
    if (user !== undefined) log.debug('user_kept', { user, reason: 'only root can become another user' })
    return
  }
  if (user === undefined || user === 'root' || user === '0')
    throw new EdgeError(
      'privileges',
      'this does not run as root: set process.user (proc_username), for example nobody',
    )
  try {
    const to = group ?? primaryGroup(user)
    process.setgid!(to)
    process.setgroups!([to])
    process.setuid!(user)
  } catch (error) {
    const reason = (error as Error).message
    throw new EdgeError(
      'privileges',
      `cannot become ${user}${group === undefined ? '' : ` of group ${group}`}: ${reason}`,
    )
  }
  log.info('became', { user, group })
}

/** Node cannot look it up by itself. */
const primaryGroup = (user: string): number =>
  Number(execFileSync('id', ['-g', user], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }))
