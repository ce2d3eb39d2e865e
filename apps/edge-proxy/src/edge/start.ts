/** Starts an edge with the last configuration of the fleet or, if that fails, with its own file. */
import type { EdgeConfig } from '@imapfleet/config'
import { reasonOf, type Log } from '@imapfleet/observe'
import { Clock } from './clock.ts'
import { Edge } from './edge.ts'

/** A revision of the fleet's configuration, merged with the edge's own file. */
export interface FleetConfig {
  revision: number
  config: EdgeConfig
}

/** A revision that this edge cannot run with. */
export interface RejectedRevision {
  revision: number
  reason: string
}

export async function startEdge(
  ownConfig: EdgeConfig,
  fleetConfig: FleetConfig | undefined,
  log: Log,
): Promise<{ edge: Edge; rejected: RejectedRevision | undefined }> {
  let rejected: RejectedRevision | undefined
  if (fleetConfig)
    try {
      return { edge: await started(fleetConfig.config, log), rejected }
    } catch (error) {
      rejected = { revision: fleetConfig.revision, reason: reasonOf(error) }
      log.error('config_unstartable', { ...rejected })
    }
  return { edge: await started(ownConfig, log), rejected }
}

async function started(config: EdgeConfig, log: Log): Promise<Edge> {
  const edge = new Edge(config, log, new Clock())
  await edge.start()
  return edge
}
