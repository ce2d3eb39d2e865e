/** Whether the process may open as many files as its configuration lets it want. Where it may not, clients are cut off unheard. */
import { readFileSync } from 'node:fs'
import type { EdgeConfig } from '@imapfleet/config'

/** For the log, the HTTP port, the fleet, and names that are being resolved. */
const spare = 100

/** One a client, one a connection to a server. */
export const filesWanted = ({ clients, upstreams }: EdgeConfig): number =>
  Object.values(upstreams).reduce(
    (sum, { connectionsMax, connectionsSpareMax }) => sum + connectionsMax + connectionsSpareMax,
    clients.connectionsMax + spare,
  )

/** Undefined where the system does not say, or sets no limit. */
export function filesAllowed(): number | undefined {
  try {
    const limit = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1]
    return limit === undefined ? undefined : Number(limit)
  } catch {
    return undefined
  }
}
