/** The heartbeat: who is here, what it runs, how it is. Sent on core NATS; a lost one is made up by the next. */
import { z } from 'zod'
import { instant, senderShape } from './envelope.ts'
import { histogramSchema } from './histogram.ts'
import { counterSeries, gaugeSeries } from './numbers.ts'

export const presenceSchema = z.object({
  ...senderShape,
  version: z.string().max(64),
  startedAt: instant,
  /** How often this edge sends one; three missed in a row and it counts as silent. 5 s if left out. */
  heartbeatMs: z.int().min(1).max(3_600_000).optional(),
  state: z.enum(['serving', 'draining', 'stopping']),
  config: z.object({
    /** Revision that is applied; 0 until the fleet has sent one. */
    applied: z.int().min(0),
    /** The last revision this edge refused, and why. */
    rejected: z.object({ revision: z.int().min(1), reason: z.string().max(4096) }).optional(),
  }),
  /** Sequence of the last revocation applied. */
  revocations: z.int().min(0),
  /** Series keys of `metrics` to values. */
  gauges: gaugeSeries,
  /** Cumulative since boot, as in a report: what a live view computes rates from. */
  counters: counterSeries.optional(),
  /** Of `login_seconds`, cumulative since boot. */
  logins: histogramSchema.optional(),
  /** What is wrong, in words for an operator; empty when all is well. */
  degraded: z.array(z.string().max(500)).max(50),
  /** Where this edge can be reached, for people: `host:port` of each IMAP listener. */
  listeners: z.array(z.string().max(300)).max(50),
})
export type Presence = z.infer<typeof presenceSchema>
