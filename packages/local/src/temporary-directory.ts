/**
 * Directories of tests and benchmarks in the temporary folder. The process that makes one removes it when it ends, also
 * by a signal. SIGKILL cannot be caught: the name holds the owner, and the next process that makes a directory removes
 * those of dead owners. The lint refuses mkdtemp elsewhere.
 */
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startMark } from './start-mark.ts'

const namePattern = /^imapfleet-[\w-]+-(\d+)\.(\w+)-\w{6}$/
const owned = new Set<string>()
let isWatching = false

/**
 * @param name what it is for; short, since sockets in it have a limit of about 100 bytes for their path
 * @param parent must be the same at each start, so that what a killed process left is found
 */
export function temporaryDirectory(name: string, parent = tmpdir()): string {
  if (!isWatching) watch()
  removeAbandoned(parent)
  const owner = `${process.pid}.${startMark(process.pid) ?? 0}`
  const directory = mkdtempSync(join(parent, `imapfleet-${name}-${owner}-`))
  owned.add(directory)
  // Parts that run as another account walk through it.
  chmodSync(directory, 0o755)
  return directory
}

/** Removes one before the process ends. */
export async function removeTemporaryDirectory(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true, maxRetries: 5 })
  owned.delete(directory)
}

/** Leaves a directory that was moved to its final place. */
export function keepTemporaryDirectory(directory: string): void {
  owned.delete(directory)
}

function watch(): void {
  isWatching = true
  process.on('exit', removeOwned)
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.prependListener(signal, () => {
      // Others stop their parts in order and then exit, which removes the directories.
      if (process.listenerCount(signal) > 1) return
      removeOwned()
      process.removeAllListeners(signal)
      process.kill(process.pid, signal)
    })
}

function removeOwned(): void {
  for (const directory of owned)
    try {
      rmSync(directory, { recursive: true, force: true, maxRetries: 5 })
    } catch {
      // A part that is still stopping writes there: the next start removes it.
    }
}

const searched = new Set<string>()

/** In the background: there may be gigabytes. Once for each parent. */
function removeAbandoned(parent: string): void {
  if (searched.has(parent)) return
  searched.add(parent)
  for (const name of readdirSync(parent)) {
    const [, pid, start] = namePattern.exec(name) ?? []
    if (pid === undefined || (startMark(Number(pid)) ?? '') === start) continue
    // One of another user stays.
    rm(join(parent, name), { recursive: true, force: true }).catch(() => undefined)
  }
}
