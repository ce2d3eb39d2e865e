/**
 * The process group of a part. A part that hands its work to another process starts that one in its own group, so the
 * group outlives its first process. Its number is the pid of the first one, and is not used again before its end.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { codeOf } from './local-error.ts'

/** Whether any process of this group runs. A process that has ended and was not waited for does not count. */
export function groupRuns(group: number): boolean {
  const failure = signalFailure(group, 0)
  if (failure === 'ESRCH') return false
  // macOS answers EPERM if all have ended and one was not waited for.
  if (!existsSync('/proc/self/stat')) return failure === undefined
  return readdirSync('/proc').some((name) => /^\d+$/.test(name) && isRunningIn(group, name))
}

/** Does nothing if the group has ended. */
export function signalGroup(group: number, signal: NodeJS.Signals): void {
  signalFailure(group, signal)
}

/** The error code. Undefined: at least one process got it. Signal 0 only asks. */
function signalFailure(group: number, signal: NodeJS.Signals | 0): string | undefined {
  try {
    process.kill(-group, signal)
    return undefined
  } catch (error) {
    return codeOf(error)
  }
}

function isRunningIn(group: number, pid: string): boolean {
  try {
    // The name in parentheses can contain anything. State, parent and group follow it.
    const [state, , own] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? []
    return state !== 'Z' && own === `${group}`
  } catch {
    return false
  }
}
