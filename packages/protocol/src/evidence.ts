/**
 * Evidence about secrets: what an edge learned from a mail server about the password or token of a user. It has no form of
 * the secret. Other edges stop reusing the connections that the user's secrets opened before.
 */
import { z } from 'zod'
import { senderShape } from './envelope.ts'

/** Users in one message. */
export const evidenceUsersMax = 1000

/** Limit of JetStream for one message. One edge then has at most 59 MB of the stream. */
export const evidenceBytesMax = 8_192

/** Messages of one edge in the stream. JetStream refuses more, until the oldest ones are `evidenceKeptMs` old. */
export const evidenceOfEdgeMax = 7200

/** Pause between two messages of one edge: it stays below `evidenceOfEdgeMax`. */
export const evidencePauseMs = 500

export const evidenceKeptMs = 3_600_000

export const evidenceSchema = z.object({
  ...senderShape,
  /** 1 for the first message of a boot. */
  sequence: z.int().min(1),
  /** `proven`: a server accepted a secret that was new at that edge. `refused`: it refused one that it had accepted. */
  changes: z
    .array(z.object({ kind: z.enum(['proven', 'refused']), user: z.string().min(1).max(1024) }))
    .max(evidenceUsersMax),
  /** Some users are missing above. The receivers must treat all users as changed. */
  isIncomplete: z.boolean(),
})
export type EvidenceMessage = z.infer<typeof evidenceSchema>
