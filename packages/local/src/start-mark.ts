/** Tells a process from a later one with the same pid, by the time when it was started. */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'

/** Letters and digits; undefined if there is no such process. */
export function startMark(pid: number): string | undefined {
  if (!existsSync('/proc/self/stat'))
    return (
      spawnSync('ps', ['-o', 'lstart=', '-p', `${pid}`], { encoding: 'utf8' }).stdout?.replace(/\W/g, '') ||
      undefined
    )
  try {
    // The name in parentheses can contain anything. The state is the first field after it, the start time the
    // twentieth.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? []
    return fields[0] === 'Z' ? undefined : fields[19]
  } catch {
    return undefined
  }
}
