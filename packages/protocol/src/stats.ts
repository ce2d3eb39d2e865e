/**
 * `GET /stats` at the HTTP port of an edge: the numbers of pimpstat, and all metrics. Works without the fleet. Series keys
 * are those of `metrics`; counters count since the start and are never reset.
 */
import { z } from 'zod'
import { histogramSchema } from './measurements.ts'

const level = z.object({ current: z.number(), peak: z.number() })

export const edgeStatsSchema = z.object({
  edge: z.string(),
  region: z.string(),
  version: z.string(),
  state: z.enum(['serving', 'draining', 'stopping']),
  /** `host:port` of each listener. Missing from edges of older versions. */
  listeners: z.array(z.string()).optional(),
  /** Present problems, as sentences for operators. Missing from edges of older versions. */
  problems: z.array(z.string()).optional(),
  /** The connection to NATS, and why there is none. Missing if the edge is not part of a fleet. */
  fleet: z
    .object({
      connected: z.boolean(),
      reason: z.string().optional(),
      /** Why the desired state would be lost at a restart. Missing: it is saved. One of `problems`. */
      unsaved: z.string().optional(),
      /** One text for each kind of message that NATS refuses from this edge. Part of `problems`. Missing from edges of older versions. */
      refused: z.array(z.string()).optional(),
    })
    .optional(),
  /** What pimpstat shows. Totals and peaks count since `resetAt`. */
  statistics: z.object({
    startedAt: z.iso.datetime(),
    resetAt: z.iso.datetime(),
    clients: level.extend({ total: z.number() }),
    /** Leased server connections. */
    active: level,
    /** Idle server connections. */
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
