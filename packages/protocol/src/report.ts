/**
 * The report: cumulative counters since boot. Lost or doubled reports change nothing: (edge, boot, at, sequence) is
 * the primary key, and rates are differences of what was received.
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

/** JetStream's duplicate window sees a second sending of the same report by this id. */
export const reportId = (report: Report) => `${report.edge}/${report.boot}/${report.sequence}`
