/** Starts an edge with what the fleet gave it last or, if it cannot listen like that, with its own file. */
import type { EdgeConfig } from '@imapfleet/config'
import type { Log } from '@imapfleet/observe'
import { Clock } from './clock.ts'
import { Edge } from './edge.ts'
import type { LastConfig, Unstartable } from '../fleet/last-config.ts'

export async function startEdge(
  file: EdgeConfig,
  last: LastConfig | undefined,
  log: Log,
): Promise<{ edge: Edge; unstartable: Unstartable | undefined }> {
  let unstartable: Unstartable | undefined
  if (last)
    try {
      return { edge: await started(last.config, log), unstartable }
    } catch (error) {
      unstartable = { revision: last.revision, reason: (error as Error).message }
      log.error('config_unstartable', { ...unstartable })
    }
  return { edge: await started(file, log), unstartable }
}

async function started(config: EdgeConfig, log: Log): Promise<Edge> {
  const edge = new Edge(config, log, new Clock())
  await edge.start()
  return edge
}
