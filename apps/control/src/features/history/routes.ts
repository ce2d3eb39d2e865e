/** Routes of statistics. */
import { createRoute } from '@hono/zod-openapi'
import { historyCsv, historySchema } from '@imapfleet/api'
import { z } from 'zod'
import type { Deps } from '../../deps.ts'
import { readHistory } from './read-history.ts'
import { bearer, needs, newRoutes, problems } from '../../platform/http/routes.ts'

const text = z.string().max(200)

const history = createRoute({
  method: 'get',
  path: '/stats/history',
  tags: ['stats'],
  summary: 'Metrics over time',
  description:
    'A counter returns its increase within each step (`:rate`: per second), a gauge its average ' +
    '(`:last`, `:max`, `:min`), histograms `:p50`, `:p95`, `:p99`, `:avg`, `:sum` or `:count`. ' +
    'Labels in braces select series: `logins_total{result="ok"}`. Steps without any report are null.',
  security: bearer,
  middleware: needs('viewer'),
  request: {
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
  },
  responses: {
    200: {
      description:
        'One row for each group. As CSV: one row for each step and group, with empty cells for missing reports',
      content: {
        'application/json': { schema: historySchema },
        'text/csv': { schema: z.string() },
      },
    },
    ...problems,
  },
})

export const historyRoutes = (deps: Deps) =>
  newRoutes().openapi(history, async (context) => {
    const { format, ...question } = context.req.valid('query')
    const answer = await readHistory(deps, question)
    if (format === 'json') return context.json(answer, 200)
    context.header('content-disposition', 'attachment; filename="imapfleet-history.csv"')
    context.header('content-type', 'text/csv; charset=utf-8')
    return context.body(historyCsv(answer), 200)
  })
