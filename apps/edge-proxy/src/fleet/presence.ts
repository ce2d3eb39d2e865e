/** Builds the heartbeat of this edge: its state, its configuration and its problems. */
import { wireVersion, type Presence } from '@imapfleet/protocol'
import type { EdgeSnapshot } from '../edge/snapshot.ts'
import type { DesiredState } from './desired-state.ts'
import type { Sender } from './nats.ts'

export interface PresenceFacts extends Sender {
  startedAt: number
  heartbeatMs: number
}

export function presenceOf(edge: EdgeSnapshot, desired: DesiredState, facts: PresenceFacts): Presence {
  const { version, state, gauges, counters, histograms, problems, listeners } = edge
  const { applied, rejected, revocations, versions } = desired
  return {
    v: wireVersion,
    ...facts,
    at: Date.now(),
    version,
    state,
    desired: { version: desired.version },
    config: { applied, ...(versions && { versions }), ...(rejected && { rejected }) },
    revocations,
    gauges,
    counters,
    logins: histograms.login_seconds,
    degraded: problems.map((problem) => problem.slice(0, 500)),
    listeners,
  }
}
