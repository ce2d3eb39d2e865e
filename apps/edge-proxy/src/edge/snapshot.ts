/** The state of the edge at one moment, for the HTTP port and the fleet. */
import type { MetricsSnapshot } from '@imapfleet/observe'
import { serverProblemText, type EdgeStats } from '@imapfleet/protocol'
import { memoryProblem } from '../pool/memory.ts'
import type { Edge, RunState } from './edge.ts'
import { version } from '../version.ts'

export interface EdgeSnapshot extends MetricsSnapshot {
  version: string
  state: 'serving' | 'draining' | 'stopping'
  /** Present problems, as sentences for operators. */
  problems: string[]
  /** `host:port` of each listener. */
  listeners: string[]
}

/** The states for the fleet. A retiring edge leaves the fleet like a stopping one. */
const reportedStates: Readonly<Record<RunState, EdgeSnapshot['state']>> = {
  starting: 'serving',
  serving: 'serving',
  draining: 'draining',
  retiring: 'stopping',
  stopping: 'stopping',
}

export function snapshotOf(edge: Edge): EdgeSnapshot {
  const keys = edge.keysAwaitingRestart
  const { metrics, pool, settings, servers, clock } = edge.context
  const figures = metrics.snapshot()
  const bytes = figures.gauges['memory_rss_bytes'] ?? 0
  const memory = memoryProblem(pool.memory, bytes, settings.current.process.memoryBytesMax)
  return {
    ...figures,
    version,
    state: reportedStates[edge.state],
    problems: [
      ...[...servers.all()].flatMap(({ name, problems }) =>
        problems.map((reason) => serverProblemText({ upstream: name, reason })),
      ),
      ...settings.certificateProblems(clock.wall()).map(({ detail }) => detail),
      ...(memory === undefined ? [] : [memory]),
      ...(keys.length === 0 ? [] : [`restart it for ${keys.join(', ')}`]),
      ...(edge.unmet === undefined ? [] : [edge.unmet]),
    ],
    listeners: edge.listeners.map(
      ({ address, port }) => `${address.includes(':') ? `[${address}]` : address}:${port}`,
    ),
  }
}

/** The answer of `GET /stats`. `fleet` is undefined if the edge is not part of a fleet. */
export function statsOf(edge: Edge, fleet: EdgeStats['fleet']): EdgeStats {
  const { id, region } = edge.context.settings.current.edge
  const { counters, gauges, histograms, state, problems: own, listeners } = snapshotOf(edge)
  const problems = [
    ...(fleet?.unsaved === undefined ? [] : [fleet.unsaved]),
    ...(fleet?.refused ?? []),
    ...own,
  ]
  const statistics = edge.context.statistics.read()
  const figures = { statistics, counters, gauges, histograms }
  return { edge: id, region, version, state, listeners, problems, fleet, ...figures }
}
