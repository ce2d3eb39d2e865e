/** What the benchmark says to a process with simulated edges, and what comes back: one reply to each request. */
import type { EdgeAddress } from '@imapfleet/protocol'

export type HerdRequest =
  /** Connect these edges; they beat and report from then on. */
  | { kind: 'join'; edges: EdgeAddress[]; url: string; tokenFile: string | undefined }
  /** From now on these say nothing and do nothing, though their connections stand. */
  | { kind: 'die'; ids: string[] }
  | { kind: 'revive' }
  /** So many reports of each edge, as fast as JetStream takes them. */
  | { kind: 'report'; each: number }
  | { kind: 'leave' }

export interface Numbered {
  number: number
  request: HerdRequest
}

/** `trouble`: why it could not be done. */
export interface HerdReply {
  number: number
  trouble?: string
}
