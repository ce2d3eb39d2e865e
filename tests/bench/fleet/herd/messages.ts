/** Messages between the benchmark and a process with simulated edges: one reply to each request. */
import type { EdgeAddress } from '@imapfleet/protocol'

export type HerdRequest =
  /** Connects these edges. From then on they send heartbeats and reports. */
  | { kind: 'join'; edges: EdgeAddress[]; url: string; tokenFile: string | undefined }
  /** These edges become silent but stay connected. */
  | { kind: 'die'; ids: string[] }
  | { kind: 'revive' }
  /** This many reports of each edge, as fast as JetStream accepts them. */
  | { kind: 'report'; each: number }
  | { kind: 'leave' }

export interface Numbered {
  number: number
  request: HerdRequest
}

/** `trouble`: the reason for a failure. */
export interface HerdReply {
  number: number
  trouble?: string
}
