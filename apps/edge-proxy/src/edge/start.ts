/** Starts an edge with the last configuration of the fleet or, if it cannot listen with that, with its own file. */
import type { EdgeConfig } from '@imapfleet/config'
import { reasonOf, type Log } from '@imapfleet/observe'
import { Clock } from './clock.ts'
import { Edge } from './edge.ts'

/** A revision of the fleet over the edge's own file. */
export interface FleetConfig {
  revision: number
  config: EdgeConfig
}

/** A revision that this edge does not run with, and why. */
export interface RejectedRevision {
  revision: number
  reason: string
}

export async function startEdge(
  file: EdgeConfig,
  last: FleetConfig | undefined,
  log: Log,
): Promise<{ edge: Edge; rejected: RejectedRevision | undefined }> {
  let rejected: RejectedRevision | undefined
  if (last)
    try {
      return { edge: await started(last.config, log), rejected }
    } catch (error) {
      rejected = { revision: last.revision, reason: reasonOf(error) }
      log.error('config_unstartable', { ...rejected })
    }
  return { edge: await started(file, log), rejected }
}

async function started(config: EdgeConfig, log: Log): Promise<Edge> {
  const edge = new Edge(config, log, new Clock())
  await edge.start()
  return edge
}
