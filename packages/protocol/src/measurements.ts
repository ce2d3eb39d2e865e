/**
 * What an edge measured, as heartbeats and reports carry it, parsed into a closed set: the metrics and labels of the
 * table, bounded values, a bounded number of series. No message can name a metric of another part of the fleet, break a
 * line of a metrics page, or make a sum overflow.
 */
import {
  bucketBound,
  bucketCount,
  edgeMetrics,
  parseSeriesKey,
  seriesKey,
  type EdgeMetricName,
  type Histogram,
  type MetricRow,
} from '@imapfleet/observe'
import { z } from 'zod'

/** Series of one edge, in a message and in the history: enough for an edge with a hundred upstreams. */
export const seriesOfEdgeMax = 2_000

/** Limit of a heartbeat or a report. */
export const measurementBytesMax = 262_144

/** Names of the configuration, such as `listeners.imaps`, and words of closed lists. */
const labelValuePattern = /^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,99}$/
const seriesKeyMax = 200
/** Longer than any session. The last bucket has no upper bound of its own. */
const durationMaxSeconds = 31_536_000
/** The sum of a histogram is rounded many times, and a value can lie on the border of two buckets. */
const sumTolerance = 0.01

/** Series that were sent and are not in the parsed message. */
export interface LeftOut {
  /** Metrics or labels that this version does not have. An edge of a newer version sends them. */
  unknown: number
  /** Label values with characters that no name has, and counters sent as gauges or the reverse. */
  invalid: number
  /** Beyond `seriesOfEdgeMax`. */
  beyondLimit: number
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** One check for the whole object, because a schema for each of hundreds of entries costs ten times as much. */
const numbers = z.custom<Record<string, number>>(
  (value) => isObject(value) && Object.values(value).every((number) => Number.isFinite(number)),
  'must hold numbers by names',
)

const bucketNames: ReadonlySet<string> = new Set(
  Array.from({ length: bucketCount }, (_, bucket) => `${bucket}`),
)

/** Buckets without values are left out. The sum agrees with the buckets. */
export const histogramSchema = z
  .object({
    sum: z.number().min(0),
    counts: z.custom<Record<string, number>>(
      (value) =>
        isObject(value) &&
        Object.entries(value).every(
          ([bucket, count]) =>
            bucketNames.has(bucket) && Number.isSafeInteger(count) && (count as number) >= 0,
        ),
      `must hold whole numbers from 0 by buckets below ${bucketCount}`,
    ),
  })
  .refine(sumAgrees, 'has a sum that its buckets cannot have') satisfies z.ZodType<Histogram>

function sumAgrees({ sum, counts }: Histogram): boolean {
  let [least, most, total] = [0, 0, 0]
  for (const [name, count] of Object.entries(counts)) {
    const bucket = Number(name)
    total += count
    least += bucket === 0 ? 0 : count * bucketBound(bucket - 1)
    most += count * (bucket === bucketCount - 1 ? durationMaxSeconds : bucketBound(bucket))
  }
  return Number.isSafeInteger(total) && sum >= least * (1 - sumTolerance) && sum <= most * (1 + sumTolerance)
}

/** The fields of a message, not yet in the closed set. `inClosedSet` completes the schema. */
export const measurementShape = { counters: numbers, gauges: numbers, histogram: histogramSchema } as const

export interface Measurements {
  counters?: Record<string, number> | undefined
  gauges?: Record<string, number> | undefined
  histograms?: Record<string, Histogram> | undefined
}

/**
 * The last step of a schema, for `transform`: keeps what is in the closed set. Refuses the message if a value is one that
 * no edge can have.
 */
export function inClosedSet<M extends Measurements>(
  message: M,
  context: z.core.$RefinementCtx<M>,
): M & { leftOut?: LeftOut } {
  const leftOut: LeftOut = { unknown: 0, invalid: 0, beyondLimit: 0 }
  let room = seriesOfEdgeMax
  const kept: Measurements = {}
  for (const [field, kind] of fields) {
    const sent = message[field]
    if (!sent) continue
    // A key `__proto__` of JSON must not become a prototype.
    const series: Record<string, number | Histogram> = {}
    for (const [key, value] of Object.entries(sent)) {
      const place = placeOf(key)
      if (place === 'unknown') leftOut.unknown++
      else if (place === 'invalid' || place.row.kind !== kind) leftOut.invalid++
      else if (room === 0) leftOut.beyondLimit++
      else if (typeof value === 'number' && !isPossible(place, value))
        context.addIssue({ code: 'custom', path: [field, key], message: 'has a value that no edge can have' })
      else {
        series[key] = value
        room--
      }
    }
    Object.assign(kept, { [field]: series })
  }
  const isComplete = leftOut.unknown + leftOut.invalid + leftOut.beyondLimit === 0
  return { ...message, ...kept, ...(!isComplete && { leftOut }) }
}

const fields = [
  ['counters', 'counter'],
  ['gauges', 'gauge'],
  ['histograms', 'histogram'],
] as const

/** Counters are whole numbers, except those of times. No gauge of the table can be negative. */
function isPossible({ name, row }: KnownSeries, value: number): boolean {
  if (value < 0 || value > (row.max ?? Number.MAX_SAFE_INTEGER)) return false
  return row.kind !== 'counter' || name.includes('seconds') || Number.isInteger(value)
}

interface KnownSeries {
  name: EdgeMetricName
  row: MetricRow
}

/** The edges of a fleet send the same keys again and again. */
const places = new Map<string, KnownSeries | 'unknown' | 'invalid'>()
const placesMax = 50_000

function placeOf(key: string): KnownSeries | 'unknown' | 'invalid' {
  let place = places.get(key)
  if (place !== undefined) return place
  place = find(key)
  if (places.size >= placesMax) places.clear()
  if (key.length <= seriesKeyMax) places.set(key, place)
  return place
}

function find(key: string): KnownSeries | 'unknown' | 'invalid' {
  if (key.length > seriesKeyMax) return 'invalid'
  const { name, labels } = parseSeriesKey(key)
  if (!Object.hasOwn(edgeMetrics, name)) return 'unknown'
  const row: MetricRow = edgeMetrics[name as EdgeMetricName]
  const expected = row.labels ?? []
  const sent = Object.keys(labels)
  if (sent.length !== expected.length || !expected.every((label) => Object.hasOwn(labels, label)))
    return 'unknown'
  if (!expected.every((label) => labelValuePattern.test(labels[label]!))) return 'invalid'
  // A series has one spelling, so that it is stored and printed once.
  const canonical = seriesKey(name, Object.fromEntries(expected.map((label) => [label, labels[label]!])))
  return canonical === key ? { name: name as EdgeMetricName, row } : 'invalid'
}
