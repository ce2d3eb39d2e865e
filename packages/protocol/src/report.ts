/**
 * The report: cumulative counters since boot. A lost or repeated report does no harm: (edge, boot, at, sequence) is the
 * primary key, and rates are differences between received reports.
 */
import { z } from 'zod'
import { instant, senderShape } from './envelope.ts'
import { histogramSchema } from './histogram.ts'
import { counterSeries, gaugeSeries } from './numbers.ts'

export const reportSchema = z.object({
  ...senderShape,
  startedAt: instant,
  /** 1 for the first report of a boot. */
  sequence: z.int().min(1),
  counters: counterSeries,
  gauges: gaugeSeries,
  histograms: z.record(z.string().max(200), histogramSchema),
})
export type Report = z.infer<typeof reportSchema>

/** The message id by which JetStream drops a report that is sent twice. */
export const reportId = (report: Report) => `${report.edge}/${report.boot}/${report.sequence}`
