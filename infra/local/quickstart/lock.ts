/** One quickstart in a clone: two would write the same data. The lock names a process, so a crash leaves no trace. */
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { processOf, writePidFile } from '../leftover.ts'
import { LocalError } from '../local-error.ts'
import { runDirectory } from '../paths.ts'

const file = `${runDirectory}/quickstart.pid`

export function takeLock(): void {
  const other = processOf(file)
  if (other)
    throw new LocalError(
      'already_running',
      `a quickstart is already running in this clone (process ${other.pid}${whereIs()}): use it, or stop it first with kill ${other.pid}`,
    )
  writePidFile(file, process.pid, 'SIGTERM')
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
