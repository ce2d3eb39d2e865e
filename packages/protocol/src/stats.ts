/**
 * What one edge says of itself at its local port, `GET /stats`: the numbers of pimpstat and more, with no fleet around.
 * Series keys are those of `metrics`.
 */
import { z } from 'zod'
import { histogramSchema } from './histogram.ts'

export const edgeStatsSchema = z.object({
  edge: z.string(),
  region: z.string(),
  version: z.string(),
  state: z.enum(['serving', 'draining', 'stopping']),
  /** Milliseconds since 1970, here and below: the edge's clock at the moment of the answer. */
  at: z.int(),
  startedAt: z.int(),
  /** When the counters were last reset; null: counted since `startedAt`. */
  resetAt: z.int().nullable(),
  /** Since `resetAt`, or since the start. */
  counters: z.record(z.string(), z.number()),
  gauges: z.record(z.string(), z.number()),
  /** The highest value of a gauge since `resetAt`, or since the start. */
  peaks: z.record(z.string(), z.number()),
  histograms: z.record(z.string(), histogramSchema),
  degraded: z.array(z.string()),
})
export type EdgeStats = z.infer<typeof edgeStatsSchema>
