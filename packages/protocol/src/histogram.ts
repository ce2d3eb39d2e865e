/** Histograms as they are sent, in reports, heartbeats and /stats. */
import { bucketCount, type Histogram } from '@imapfleet/observe'
import { z } from 'zod'
import { numbersByName } from './numbers.ts'

const bucketNames: ReadonlySet<string> = new Set(
  Array.from({ length: bucketCount }, (_, bucket) => `${bucket}`),
)

export const histogramSchema = z.object({
  sum: z.number().min(0),
  counts: numbersByName({
    isName: (bucket) => bucketNames.has(bucket),
    isNumber: (count) => Number.isSafeInteger(count) && count >= 0,
    message: `must hold whole numbers from 0 by buckets below ${bucketCount}`,
  }),
}) satisfies z.ZodType<Histogram>
