/** Gives up root after the ports are bound and the keys are read. The edge does not serve clients as root. */
import { execFileSync } from 'node:child_process'
import type { EdgeConfig } from '@imapfleet/config'
import type { Log } from '@imapfleet/observe'
import { EdgeError } from '../errors.ts'

/** Changes to `process.user` and `process.group`, if the process is root. Throws `privileges` if it would remain root. */
export function dropPrivileges(config: EdgeConfig['process'], log: Log): void {
  const { user, group } = config
  if (process.getuid?.() !== 0) {
    if (user !== undefined)
      log.debug('user_unchanged', { user, reason: 'only root can change to another user' })
    return
  }
  if (user === undefined || user === 'root' || user === '0')
    throw new EdgeError(
      'privileges',
      'the edge does not run as root: set process.user (proc_username), for example to nobody',
    )
  try {
    const id = group ?? primaryGroup(user)
    process.setgid!(id)
    process.setgroups!([id])
    process.setuid!(user)
  } catch (error) {
    const name = `${user}${group === undefined ? '' : ` with group ${group}`}`
    throw new EdgeError('privileges', `cannot change to the user ${name}: ${(error as Error).message}`)
  }
  log.info('user_changed', { user, group })
}

/** Node has no function for it. */
const primaryGroup = (user: string): number =>
  Number(execFileSync('id', ['-g', user], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }))
