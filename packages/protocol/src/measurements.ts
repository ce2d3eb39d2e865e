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
  /** Metrics, labels or values of closed lists that this version does not have. An edge of a newer version sends them. */
  unknown: number
  /** Label values with characters that no name has, and counters sent as gauges or the reverse. */
  invalid: number
  /** Beyond `seriesOfEdgeMax`. */
  beyondLimit: number
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** What one value in each bucket adds to the sum, in seconds: at least, at most. */
const leastOf = Float64Array.from({ length: bucketCount }, (_, bucket) =>
  bucket === 0 ? 0 : bucketBound(bucket - 1) * (1 - sumTolerance),
)
const mostOf = Float64Array.from(
  { length: bucketCount },
  (_, bucket) => (bucket === bucketCount - 1 ? durationMaxSeconds : bucketBound(bucket)) * (1 + sumTolerance),
)
const bucketsByName: ReadonlyMap<string, number> = new Map(
  Array.from({ length: bucketCount }, (_, bucket) => [`${bucket}`, bucket]),
)

/** The sums that a histogram with these counts can have. */
export class HistogramSum {
  #least = 0
  #most = 0
  #total = 0

  /** A bucket and the number of values in it. False: no histogram has this number. */
  add(bucket: number, count: number): boolean {
    if (!Number.isSafeInteger(count) || count < 0) return false
    this.#least += count * leastOf[bucket]!
    this.#most += count * mostOf[bucket]!
    this.#total += count
    return true
  }

  allows(sum: number): boolean {
    return sum >= this.#least && sum <= this.#most && Number.isSafeInteger(this.#total)
  }
}

/** Whole counts in known buckets, and a sum that they can have. */
function isHistogram(value: unknown): value is Histogram {
  if (!isObject(value) || !isObject(value.counts)) return false
  const { sum, counts } = value
  const possible = new HistogramSum()
  for (const name of Object.keys(counts)) {
    const [bucket, count] = [bucketsByName.get(name), counts[name]]
    if (bucket === undefined || typeof count !== 'number' || !possible.add(bucket, count)) return false
  }
  return typeof sum === 'number' && possible.allows(sum)
}

/** One check for the whole object: control parses the reports of the whole fleet, and a schema for each entry is slow. */
export const histogramSchema = z
  .custom<Histogram>(isHistogram, 'must have whole counts in known buckets, and a sum that they can have')
  .transform(({ sum, counts }) => ({ sum, counts }))

/** The fields of a message, not yet in the closed set. `inClosedSet` completes the schema. */
export const measurementShape = {
  counters: z.custom<Record<string, number>>(isObject, 'must hold numbers by names'),
  gauges: z.custom<Record<string, number>>(isObject, 'must hold numbers by names'),
  histograms: z.custom<Record<string, Histogram>>(isObject, 'must hold histograms by names'),
} as const

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
    const others: string[] = []
    for (const key of Object.keys(sent)) {
      const place = placeOf(key)
      if (typeof place !== 'string' && place.row.kind === kind && room > 0) {
        const value = sent[key]
        if (!isPossible(place, value))
          context.addIssue({
            code: 'custom',
            path: [field, key],
            message: 'has a value that no edge can have',
          })
        else if (kind === 'histogram' && Object.keys(value as Histogram).length > 2) {
          // A field of a newer version. It is not stored.
          const { sum, counts } = value as Histogram
          Object.assign(sent, { [key]: { sum, counts } })
        }
        room--
        continue
      }
      others.push(key)
      if (place === 'unknown') leftOut.unknown++
      else if (place === 'invalid' || place.row.kind !== kind) leftOut.invalid++
      else leftOut.beyondLimit++
    }
    if (others.length > 0) Object.assign(kept, { [field]: without<number | Histogram>(sent, others) })
  }
  const isComplete = leftOut.unknown + leftOut.invalid + leftOut.beyondLimit === 0
  return isComplete ? message : { ...message, ...kept, leftOut }
}

function without<T>(series: Readonly<Record<string, T>>, keys: readonly string[]): Record<string, T> {
  const dropped = new Set(keys)
  return Object.fromEntries(Object.entries(series).filter(([key]) => !dropped.has(key)))
}

const fields = [
  ['counters', 'counter'],
  ['gauges', 'gauge'],
  ['histograms', 'histogram'],
] as const

/** Whether the series can have this value. Counters are whole numbers, except those of times. No gauge of the table can be negative. */
export function isPossible({ row, isWhole }: KnownSeries, value: unknown): boolean {
  if (row.kind === 'histogram') return isHistogram(value)
  if (typeof value !== 'number' || !(value >= 0 && value <= (row.max ?? Number.MAX_SAFE_INTEGER)))
    return false
  return !isWhole || Number.isInteger(value)
}

/** A series of the closed set. */
export interface KnownSeries {
  row: MetricRow
  isWhole: boolean
}

/** The edges of a fleet send the same keys again and again. */
const places = new Map<string, KnownSeries | 'unknown' | 'invalid'>()
const placesMax = 50_000

/** Undefined: it is not in the closed set. */
export function knownSeries(key: string): KnownSeries | undefined {
  const place = placeOf(key)
  return typeof place === 'string' ? undefined : place
}

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
  if (!expected.every((label) => row.values?.[label]?.includes(labels[label]!) ?? true)) return 'unknown'
  // A series has one spelling, so that it is stored and printed once.
  const canonical = seriesKey(name, Object.fromEntries(expected.map((label) => [label, labels[label]!])))
  if (canonical !== key) return 'invalid'
  return { row, isWhole: row.kind === 'counter' && !name.includes('seconds') }
}
