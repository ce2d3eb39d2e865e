/** Metrics over time. */
import { z } from 'zod'

/** Metrics over time, by group. A value is null if nothing was reported in its step. */
export const historySchema = z
  .object({
    from: z.iso.datetime(),
    to: z.iso.datetime(),
    stepSeconds: z.int(),
    /** The data it was computed from: the reports, or rollups of 10 s, 1 minute or 1 hour. */
    resolution: z.enum(['reports', '10s', '1m', '1h']),
    groupBy: z.enum(['fleet', 'region', 'edge', 'upstream']),
    metrics: z.array(z.string()),
    groups: z.array(
      z.object({
        group: z.string(),
        /** One array for each metric, in the order of `metrics`, with one value for each step. */
        values: z.array(z.array(z.number().nullable())),
        totals: z.array(z.number().nullable()),
      }),
    ),
  })
  .meta({ id: 'History' })
export type History = z.infer<typeof historySchema>
