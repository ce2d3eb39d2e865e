/** Starts an edge with the last configuration of the fleet or, if the edge cannot start with that, with its own file. */
import type { EdgeConfig } from '@imapfleet/config'
import { reasonOf, type Log } from '@imapfleet/observe'
import type { LayerVersions } from '@imapfleet/protocol'
import { EdgeError } from '../errors.ts'
import { InheritedSockets } from '../net/inherited-sockets.ts'
import { Clock } from './clock.ts'
import { Edge } from './edge.ts'
import { haveSameValues } from './same-values.ts'

/** Identifies a configuration of the fleet. After a restore of control, a number of a revision may be used again. */
export interface FleetRevision {
  revision: number
  /** Missing if control did not name them. */
  versions?: LayerVersions | undefined
}

/** A revision of the fleet's configuration, merged with the edge's own file. */
export interface FleetConfig extends FleetRevision {
  config: EdgeConfig
}

/** A revision that this edge cannot run with. */
export interface RejectedRevision extends FleetRevision {
  reason: string
}

/**
 * Throws if the edge cannot start with its own file either, because a port is in use, a certificate cannot be read, or the trace
 * file cannot be written.
 */
export async function startEdge(
  ownConfig: EdgeConfig,
  fleetConfig: FleetConfig | undefined,
  log: Log,
  sockets = new InheritedSockets([]),
): Promise<{ edge: Edge; rejected: RejectedRevision | undefined }> {
  let rejected: RejectedRevision | undefined
  if (fleetConfig)
    try {
      return { edge: await started(fleetConfig.config, log, sockets), rejected }
    } catch (error) {
      const { config, revision, versions } = fleetConfig
      // The edge's own file has the same port or file, so the revision is not the cause.
      if (error instanceof EdgeError && haveSameValues(error.keys, config, ownConfig)) throw error
      const reason = reasonOf(error)
      rejected = { revision, ...(versions && { versions }), reason }
      log.error('config_unstartable', { revision, reason })
    }
  return { edge: await started(ownConfig, log, sockets), rejected }
}

async function started(config: EdgeConfig, log: Log, sockets: InheritedSockets): Promise<Edge> {
  const edge = new Edge(config, log, new Clock())
  await edge.start(sockets)
  return edge
}
