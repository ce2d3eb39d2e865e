/** Compares the limit of open files with what the configuration may need. At the limit the system refuses clients unseen. */
import { readFileSync } from 'node:fs'
import type { EdgeConfig } from '@imapfleet/config'

/** For the log, the HTTP port, the fleet, and DNS. */
const otherFiles = 100

/** A health check, and one whose connection is being closed. */
const perUpstream = 2

/**
 * One file for each client, in any phase from accept to close, one for each connection to a server that is open or being
 * opened, and one for each listener.
 */
export const openFilesNeeded = ({ clients, listeners, upstreams }: EdgeConfig): number =>
  Object.values(upstreams).reduce(
    (sum, { connectionsMax, connectionsSpareMax }) =>
      sum + connectionsMax + connectionsSpareMax + perUpstream,
    clients.connectionsMax + Object.keys(listeners).length + otherFiles,
  )

/** Undefined if there is no limit, or the system does not have /proc. */
export function openFilesLimit(): number | undefined {
  try {
    const limit = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1]
    return limit === undefined ? undefined : Number(limit)
  } catch {
    return undefined
  }
}

/**
 * Keeps some files free for dials, the log, the HTTP port and files of state. At the limit itself the system accepts clients
 * and closes them, and the edge does not learn of them. The lowest free number is used for each new file, so a high number
 * means that few are left.
 */
export class FileReserve {
  #limit = openFilesLimit() ?? Infinity

  /** Reads the limit again, which may be raised while the edge runs. */
  readLimit(): void {
    this.#limit = openFilesLimit() ?? this.#limit
  }

  /** Whether the file that was opened last is one of the reserve. */
  isTouched(file: number): boolean {
    return file >= this.#limit - Math.min(reserveMax, this.#limit / 8)
  }
}

const reserveMax = 32
