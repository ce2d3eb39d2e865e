/** Lines of a trace, sent in batches by the edge. They never contain credentials. */
import { z } from 'zod'
import { senderShape } from './envelope.ts'

/** Limit of JetStream for one batch. The longest line fits, whatever JSON escapes in it. */
export const traceBytesMax = 32_768

/** Characters in one line: more than a trace shows of a line. */
export const traceTextMax = 4_352

/**
 * Batches of one edge in the stream, up to 32 MiB. JetStream refuses more, so that an edge cannot displace the lines of
 * others. Control removes the oldest before that.
 */
export const tracesOfEdgeMax = 1_024

export const traceLineSchema = z.object({
  /** Milliseconds since 1970. */
  at: z.int().min(0),
  session: z.string().max(64),
  /** `C`: client to server. `S`: server to client. `*`: a remark of the edge, such as the start of a session. */
  from: z.enum(['C', 'S', '*']),
  text: z.string().max(8192),
})
export type TraceLine = z.infer<typeof traceLineSchema>

export const traceBatchSchema = z.object({
  ...senderShape,
  trace: z.uuid(),
  user: z.string().max(1024),
  /** 1 for the first batch of this trace on this boot. */
  sequence: z.int().min(1),
  lines: z.array(traceLineSchema).max(1000),
  /** Why the trace ended on this edge. Only in the last batch. */
  ended: z.enum(['expired', 'stopped', 'byte-limit', 'edge-stopped']).optional(),
})
export type TraceBatch = z.infer<typeof traceBatchSchema>
