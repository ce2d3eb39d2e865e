/** Compares the limit of open files with the number that the configuration may need. */
import { readFileSync } from 'node:fs'
import type { EdgeConfig } from '@imapfleet/config'

/** Files for the log, the HTTP port, the fleet, and DNS. */
const otherFiles = 100

/** Files for a health check, for one whose connection is being closed, and for a connection that is ready for the next login. */
const perUpstream = 3

/**
 * One file for each client, from accept to close, one for each server connection that is open or being opened, and one for each
 * listener.
 */
export const openFilesNeeded = ({ clients, listeners, upstreams }: EdgeConfig): number =>
  Object.values(upstreams).reduce(
    (sum, { connectionsMax, connectionsSpareMax }) =>
      sum + connectionsMax + connectionsSpareMax + perUpstream,
    clients.connectionsMax + Object.keys(listeners).length + otherFiles,
  )

/** Undefined: there is no limit, or the system has no /proc. */
export function openFilesLimit(): number | undefined {
  try {
    const limit = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1]
    return limit === undefined ? undefined : Number(limit)
  } catch {
    return undefined
  }
}

/**
 * Keeps some files free for dials, the log, the HTTP port and state files. At the limit itself, the system accepts clients and
 * closes them without notifying the edge. Each new file gets the lowest free number, so a high number means that few are left.
 */
export class FileReserve {
  #limit = openFilesLimit() ?? Infinity

  /** Reads the limit again, which may be raised while the edge runs. */
  readLimit(): void {
    this.#limit = openFilesLimit() ?? this.#limit
  }

  /** Whether the file that was opened last is part of the reserve. */
  isTouched(file: number): boolean {
    return file >= this.#limit - Math.min(reserveMax, this.#limit / 8)
  }
}

const reserveMax = 32
