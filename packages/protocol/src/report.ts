/**
 * The report: cumulative counters since boot. A lost or repeated report does no harm: (edge, boot, at, sequence) is the
 * primary key, and rates are differences between received reports.
 */
import { z } from 'zod'
import { instant, senderShape, wireVersion } from './envelope.ts'
import { inClosedSet, measurementShape } from './measurements.ts'

export const reportSchema = z
  .object({
    ...senderShape,
    startedAt: instant,
    /** 1 for the first report of a boot. */
    sequence: z.int().min(1),
    counters: measurementShape.counters,
    gauges: measurementShape.gauges,
    histograms: measurementShape.histograms,
  })
  .transform(inClosedSet)
export type Report = z.infer<typeof reportSchema>

/**
 * Reports of one edge in the stream: an hour at the usual interval. JetStream refuses more, and the edge keeps them in its
 * outbox.
 */
export const reportsOfEdgeMax = 360

/** The message id by which JetStream drops a report that is sent twice. */
export const reportId = (report: Pick<Report, 'edge' | 'boot' | 'sequence'>) =>
  `${report.edge}/${report.boot}/${report.sequence}`

/** Reports that one message confirms. */
export const storedReportsMax = 10_000

/** Control → edge: it has stored these reports or refused them permanently. The edge can delete them. */
export const storedReportsSchema = z.object({
  v: z.literal(wireVersion),
  boot: z.uuid(),
  sequences: z.array(z.int().min(1)).max(storedReportsMax),
})
export type StoredReports = z.infer<typeof storedReportsSchema>
