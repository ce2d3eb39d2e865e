/** The heartbeat of this edge: its state, its configuration and its problems, as control lists them. */
import { wireVersion, type Presence } from '@imapfleet/protocol'
import type { Edge } from '../edge/edge.ts'
import { version } from '../edge/version.ts'
import type { DesiredState } from './desired-state.ts'
import type { Sender } from './link.ts'

export interface PresenceFacts extends Sender {
  startedAt: number
  heartbeatMs: number
}

export function presenceOf(edge: Edge, desired: DesiredState, facts: PresenceFacts): Presence {
  const { gauges, counters, histograms } = edge.metrics.snapshot()
  const { applied, rejected, revocations } = desired
  return {
    v: wireVersion,
    ...facts,
    at: Date.now(),
    version,
    state: edge.state === 'starting' ? 'serving' : edge.state,
    config: { applied, ...(rejected && { rejected }) },
    revocations,
    gauges,
    counters,
    logins: histograms.login_seconds,
    degraded: problemsOf(edge),
    listeners: edge.listeners.map(
      ({ address, port }) => `${address.includes(':') ? `[${address}]` : address}:${port}`,
    ),
  }
}

function problemsOf(edge: Edge): string[] {
  const keys = edge.awaitingRestart
  const problems = [...edge.servers.values()]
    .filter(({ trouble }) => trouble !== undefined)
    .map(({ name, trouble }) => `upstream ${name}: ${trouble}`)
  if (keys.length > 0) problems.push(`restart it for ${keys.join(', ')}`)
  return problems.map((problem) => problem.slice(0, 500))
}
