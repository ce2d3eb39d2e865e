/** Messages between the benchmark and a process with simulated edges: one reply to each request. */
import type { EdgeAddress } from '@imapfleet/protocol'

export type HerdRequest =
  /** Connects these edges. From then on they send heartbeats and reports. */
  | { kind: 'join'; edges: EdgeAddress[]; url: string; tokenFile: string | undefined; pattern: HerdPattern }
  /** These edges become silent but stay connected. */
  | { kind: 'die'; ids: string[] }
  | { kind: 'revive' }
  /** This many reports of each edge to this stream, as fast as JetStream accepts them. */
  | { kind: 'report'; each: number; to: ReportsGoTo }
  | { kind: 'leave' }

/** To control, or to a stream that the benchmark reads itself. */
export type ReportsGoTo = 'control' | 'floor'

/** How the edges behave. */
export interface HerdPattern {
  heartbeatMs: number
  reportMs: number
  reconcileMs: number
  /** Edges that share one connection to NATS. Each has its own subscriptions and messages. */
  edgesPerConnection: number
}

/** The defaults of the edge. */
export const usualPattern: HerdPattern = {
  heartbeatMs: 5_000,
  reportMs: 10_000,
  reconcileMs: 45_000,
  edgesPerConnection: 1,
}

export interface Numbered {
  number: number
  request: HerdRequest
}

/** `trouble`: the reason for a failure. */
export interface HerdReply {
  number: number
  trouble?: string
}
