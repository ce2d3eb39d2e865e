/** The edge's connection to NATS, from the section `fleet` of its configuration. Nothing on the data path waits for it. */
import type { EdgeConfig } from '@imapfleet/config'
import { NatsClient, readAccess, type NatsClientHandlers } from '@imapfleet/nats'
import { subjects, type EdgeAddress } from '@imapfleet/protocol'
import type { Log } from '@imapfleet/observe'
import { EdgeError } from '../errors.ts'

/** Identifies this edge and its current run in each message. */
export interface Sender extends EdgeAddress {
  boot: string
}

/** Pause between attempts while NATS refuses the login, because frequent attempts do not help. */
const refusedRetryMs = 10_000

const accessOf = ({ fleet }: Pick<EdgeConfig, 'fleet'>) =>
  readAccess(fleet.servers, fleet, (key) => `fleet.${key}`)

/** Why the edge would not start in a fleet with the files of the section. Undefined: it would, or it runs alone. */
export function fleetFilesProblem(config: Pick<EdgeConfig, 'fleet'>): string | undefined {
  if (config.fleet.servers.length === 0) return undefined
  const read = accessOf(config)
  return read.ok ? undefined : read.reason
}

/** Reads the files named in the section. Throws an EdgeError if one cannot be used. */
export function fleetNatsClient(
  { edge, fleet }: EdgeConfig,
  log: Log,
  handlers: Required<Pick<NatsClientHandlers, 'opened' | 'up'>> & {
    /** Called once if the credential expires. */
    expires: (at: Date) => void
  },
): NatsClient {
  const read = accessOf({ fleet })
  if (!read.ok) throw new EdgeError('config_unreadable', read.reason)
  if (read.access.expiresAt) handlers.expires(read.access.expiresAt)
  const settings = {
    name: `imapfleet-edge ${edge.id}`,
    // Its own inbox, so that other edges cannot read replies to this one.
    inboxPrefix: subjects.inbox({ edge: edge.id, region: edge.region }),
    refusedRetryMs,
  }
  const remedy = refusalRemedy({ edge, fleet })
  return new NatsClient(read.access, settings, {
    opened: handlers.opened,
    async up(handles) {
      log.info('fleet_connected', { server: handles.nats.getServer() })
      await handlers.up(handles)
    },
    down: (reason) => log.warn('fleet_away', { reason }),
    refused: (error) => log.warn('fleet_refused', { reason: String(error) }),
    explainRefusal: (message) => `NATS refuses this edge (${message}): ${remedy}`,
  })
}

/** What an operator can do about a refused login. */
export function refusalRemedy({ edge, fleet }: Pick<EdgeConfig, 'edge' | 'fleet'>): string {
  if (fleet.credentialsFile !== undefined)
    return (
      `its credential was revoked or belongs to another NATS; make a new one with imapfleet edges enroll ${edge.id} ` +
      `--region ${edge.region}, write it to the file named in fleet.credentialsFile and restart the edge`
    )
  return fleet.tokenFile === undefined
    ? 'it has no credential; set fleet.credentialsFile or fleet.tokenFile'
    : 'check fleet.tokenFile'
}
