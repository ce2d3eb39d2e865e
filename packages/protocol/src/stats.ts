/**
 * What one edge says of itself at its local port, `GET /stats`: the numbers of pimpstat and more, with no fleet around.
 * Series keys are those of `metrics`; series count since the start and are never set back.
 */
import { z } from 'zod'
import { histogramSchema } from './histogram.ts'

const level = z.object({ current: z.number(), peak: z.number() })

export const edgeStatsSchema = z.object({
  edge: z.string(),
  region: z.string(),
  version: z.string(),
  state: z.enum(['serving', 'draining', 'stopping']),
  /** Its line to NATS, and why there is none; missing where it runs alone. */
  fleet: z.object({ connected: z.boolean(), reason: z.string().optional() }).optional(),
  /** What pimpstat shows; totals and peaks since `resetAt`. */
  statistics: z.object({
    startedAt: z.iso.datetime(),
    resetAt: z.iso.datetime(),
    clients: level.extend({ total: z.number() }),
    /** Upstream connections in use. */
    active: level,
    /** Warm ones that wait for their user. */
    cached: level,
    logins: z.object({
      total: z.number(),
      reused: z.number(),
      opened: z.number(),
      reuseRatio: z.number().nullable(),
    }),
    selectCache: z.object({ hits: z.number(), misses: z.number(), hitRatio: z.number().nullable() }),
  }),
  counters: z.record(z.string(), z.number()),
  gauges: z.record(z.string(), z.number()),
  histograms: z.record(z.string(), histogramSchema),
})
export type EdgeStats = z.infer<typeof edgeStatsSchema>
