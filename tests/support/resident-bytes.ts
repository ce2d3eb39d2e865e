/** Memory of running processes, read from /proc. */
import { readFileSync } from 'node:fs'

/** Resident memory of these processes together, in bytes. Throws if one has ended. */
export function residentBytes(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]
    if (kilobytes === undefined) throw new Error(`process ${pid} has ended`)
    return sum + Number(kilobytes) * 1024
  }, 0)
}

/** The same for processes that still run: Postgres can end its processes at any time. */
export function residentBytesOfRunning(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    try {
      return sum + residentBytes([pid])
    } catch {
      return sum
    }
  }, 0)
}
