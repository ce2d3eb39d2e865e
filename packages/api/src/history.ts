/** Metrics over time. */
import { z } from 'zod'
import { route } from './route.ts'

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
        /** For the whole range. A rate is that of the steps with a report. */
        totals: z.array(z.number().nullable()),
      }),
    ),
  })
  .meta({ id: 'History' })
export type History = z.infer<typeof historySchema>

const text = z.string().max(200)

export const historyRoutes = {
  readHistory: route({
    method: 'GET',
    path: '/v1/stats/history',
    tag: 'stats',
    summary: 'Metrics over time',
    description:
      'A counter returns its increase within each step (`:rate`: per second), a gauge its average ' +
      '(`:last`, `:max`, `:min`), histograms `:p50`, `:p95`, `:p99`, `:avg`, `:sum` or `:count`. ' +
      'Labels in braces select series: `logins_total{result="ok"}`. Steps without any report are null, and `totals` ' +
      'have the rate of the other steps. ' +
      'The answer ends (`to`) where the reports of all edges end, which can cut the last step short. ' +
      '`to=rolled-up`: without the last minutes, which control computes from the reports; a sooner answer of a large fleet.',
    role: 'viewer',
    limits: 'region',
    query: z.object({
      metrics: z.string().min(1).max(8_000),
      from: text.optional(),
      to: text.optional(),
      step: text.optional(),
      groupBy: historySchema.shape.groupBy.default('fleet'),
      region: text.optional(),
      edge: text.optional(),
      upstream: text.optional(),
      format: z.enum(['json', 'csv']).default('json'),
    }),
    answer: historySchema,
    text: 'text/csv',
    returns:
      'One row for each group. As CSV: one row for each step and group, with empty cells for missing reports',
  }),
} as const
