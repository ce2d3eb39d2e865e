/**
 * Allows one quickstart in a clone, because two would write the same data. The lock contains a process id, so it is
 * void after a crash.
 */
import { existsSync, linkSync, readFileSync, rmSync } from 'node:fs'
import { processOf, writePidFile } from '../leftover.ts'
import { codeOf, LocalError, messageOf } from '../local-error.ts'
import { runDirectory } from '../paths.ts'

const file = `${runDirectory}/quickstart.pid`

export function takeQuickstartLock(): void {
  const own = `${file}.${process.pid}`
  writePidFile(own, process.pid, 'SIGTERM')
  try {
    while (!isTaken(own)) {
      const other = processOf(file)
      if (other)
        throw new LocalError(
          'already_running',
          `a quickstart is already running in this clone (process ${other.pid}${whereIs()}): ` +
            `use it, or stop it with kill ${other.pid}`,
        )
      rmSync(file, { force: true })
    }
  } finally {
    rmSync(own, { force: true })
  }
}

/** Creates the complete lock file in one step, and only if there is none. */
function isTaken(own: string): boolean {
  try {
    linkSync(own, file)
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw new LocalError('no_access', `cannot write ${file}: ${messageOf(error)}`)
  }
}

export function releaseLock(): void {
  if (processOf(file)?.pid === process.pid) rmSync(file, { force: true })
}

function whereIs(): string {
  const facts = `${runDirectory}/quickstart.json`
  if (!existsSync(facts)) return ''
  const api = /"api": "([^"]+)"/.exec(readFileSync(facts, 'utf8'))?.[1]
  return api ? `, ${api}` : ''
}
