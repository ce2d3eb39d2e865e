/**
 * Reads a report from its bytes into the storage format in one pass, without an object for each figure. It reads only the
 * form that edges write, from a sender whose last report the schema accepted. It refuses nothing. The schema reads reports
 * of any other form, which would read all that is read here in the same way.
 */
import { bucketCount } from '@imapfleet/observe'
import {
  HistogramSum,
  instantMax,
  isPossible,
  knownSeries,
  parseJson,
  seriesOfEdgeMax,
  type KnownSeries,
  type Report,
} from '@imapfleet/protocol'
import { Writer, type NumberOf, type ReportFigures } from './packed.ts'

export interface ReadReport extends Pick<
  Report,
  'edge' | 'region' | 'boot' | 'sequence' | 'at' | 'startedAt'
> {
  figures: ReportFigures
}

interface Message {
  subject: string
  data: Uint8Array
}

/** The numbers of series in the storage format. */
interface Numbered {
  numberOf: NumberOf
}

interface Sender extends Pick<Report, 'edge' | 'region' | 'boot'> {
  /** How its reports start, up to the first number that differs. */
  start: Buffer
}

/** A series, and how it is spelled in a report. */
interface Spelling {
  /** With quotes and the colon. */
  bytes: Buffer
  key: string
  series: KnownSeries
  /** The number of the last report with it. */
  lastReport: number
  /** The series that followed it last. The reports of a fleet have the same series in the same order. */
  next: Spelling | undefined
}

/** Only senders with a shared credential, or changing label values, can exceed these numbers. */
const sendersMax = 50_000
const spellingsMax = 50_000
const startBytesMax = 400
const spellingBytesMax = 450
/** A number with more digits may not be exact. */
const digitsMax = 15
const numberBytesMax = 40
/** The grammar of JSON, without the sign. */
const numberPattern = /^(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/

const at = Buffer.from('"at":')
const startedAt = Buffer.from(',"startedAt":')
const sequence = Buffer.from(',"sequence":')
const counters = Buffer.from(',"counters":{')
const gauges = Buffer.from(',"gauges":{')
const histograms = Buffer.from(',"histograms":{')
const sum = Buffer.from('{"sum":')
const counts = Buffer.from(',"counts":{')
const startOfName = Buffer.from('"')
const endOfName = Buffer.from('":')
const endOfHistogram = Buffer.from('}}')
const endOfObject = Buffer.from('}')

const quote = 0x22
const plus = 0x2b
const comma = 0x2c
const minus = 0x2d
const point = 0x2e
const zero = 0x30
const nine = 0x39
const colon = 0x3a
const largeE = 0x45
const backslash = 0x5c
const smallE = 0x65
const closing = 0x7d

export class ReportReader {
  readonly #senders = new Map<string, Sender>()
  readonly #spellings = new Map<string, Spelling>()
  /** Of the report that is read, and the place up to which it was read. */
  #bytes: Buffer = Buffer.alloc(0)
  #place = 0
  #series = 0
  #reports = 0
  #lastSpelling: Spelling | undefined
  /** Of one histogram: its size is written before them. */
  readonly #buckets = new Uint16Array(bucketCount)
  readonly #counts = new Float64Array(bucketCount)

  /** Undefined: the schema must read it. It is also undefined if a series has no number. */
  read({ subject, data }: Message, series: Numbered): ReadReport | undefined {
    const sender = this.#senders.get(subject)
    if (!sender) return undefined
    this.#begin(data)
    if (!this.#skip(sender.start)) return undefined
    const { edge, region, boot } = sender
    const head = { edge, region, boot, at: this.#number(), startedAt: NaN, sequence: NaN }
    if (this.#skip(startedAt)) head.startedAt = this.#number()
    if (this.#skip(sequence)) head.sequence = this.#number()
    if (!isInstant(head.at) || !isInstant(head.startedAt)) return undefined
    if (!Number.isSafeInteger(head.sequence) || head.sequence < 1) return undefined
    const writer = new Writer()
    if (!this.#skip(counters) || !this.#figures('counter', writer, series)) return undefined
    const countersEnd = writer.length
    if (!this.#skip(gauges) || !this.#figures('gauge', writer, series)) return undefined
    const gaugesEnd = writer.length
    if (!this.#skip(histograms) || !this.#figures('histogram', writer, series)) return undefined
    if (!this.#skip(endOfObject) || this.#place !== this.#bytes.length) return undefined
    return { ...head, figures: writer.figures(countersEnd, gaugesEnd) }
  }

  /** Learns the sender from a report that the schema has accepted. */
  learn({ subject, data }: Message, { edge, region, boot }: Report): void {
    const known = this.#senders.get(subject)
    this.#begin(data)
    if (known && this.#skip(known.start)) return
    const place = this.#bytes.indexOf(at)
    if (place < 0 || place + at.length > startBytesMax) return
    // A copy, because what the socket received is larger.
    const start = Buffer.from(this.#bytes.subarray(0, place + at.length))
    // Proves that this is the start of the report itself, and not of an object in it.
    const begun = parseJson(`${start.toString()}0}`) as Partial<Report> | undefined
    if (begun?.v !== 1 || begun.edge !== edge || begun.region !== region || begun.boot !== boot) return
    if (this.#senders.size >= sendersMax) this.#senders.clear()
    this.#senders.set(subject, { edge, region, boot, start })
  }

  #begin(data: Uint8Array): void {
    this.#bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
    this.#place = 0
    this.#series = 0
    this.#reports += 1
  }

  /** Up to the end of the object. */
  #figures(kind: KnownSeries['row']['kind'], writer: Writer, series: Numbered): boolean {
    writer.begin()
    if (this.#skip(endOfObject)) return true
    for (;;) {
      const spelling = this.#spelling()
      // The last one of two with the same name counts, which the schema knows.
      if (spelling?.series.row.kind !== kind || spelling.lastReport === this.#reports) return false
      spelling.lastReport = this.#reports
      this.#series += 1
      const number = series.numberOf(spelling.key)
      if (number === undefined || this.#series > seriesOfEdgeMax) return false
      writer.series(number)
      if (kind === 'histogram') {
        if (!this.#histogram(writer)) return false
      } else {
        const value = this.#number()
        if (!isPossible(spelling.series, value)) return false
        writer.number(value)
      }
      if (this.#byte() !== comma) return this.#skip(endOfObject)
      this.#place += 1
    }
  }

  #histogram(writer: Writer): boolean {
    if (!this.#skip(sum)) return false
    const sumOfAll = this.#number()
    if (!this.#skip(counts)) return false
    const possible = new HistogramSum()
    let filled = 0
    let last = -1
    if (this.#byte() !== closing)
      for (;;) {
        if (!this.#skip(startOfName)) return false
        const bucket = this.#whole()
        // They ascend, so none comes twice.
        if (!(bucket > last && bucket < bucketCount) || !this.#skip(endOfName)) return false
        const count = this.#whole()
        if (!possible.add(bucket, count)) return false
        this.#buckets[filled] = bucket
        this.#counts[filled] = count
        filled += 1
        last = bucket
        if (this.#byte() !== comma) break
        this.#place += 1
      }
    if (!possible.allows(sumOfAll) || !this.#skip(endOfHistogram)) return false
    writer.histogram(sumOfAll, this.#buckets, this.#counts, filled)
    return true
  }

  #spelling(): Spelling | undefined {
    const expected = this.#lastSpelling?.next
    const spelling = expected && this.#skip(expected.bytes) ? expected : this.#anySpelling()
    if (spelling && this.#lastSpelling) this.#lastSpelling.next = spelling
    this.#lastSpelling = spelling
    return spelling
  }

  #anySpelling(): Spelling | undefined {
    const from = this.#place
    if (this.#byte() !== quote) return undefined
    let end = from + 1
    while (this.#bytes[end] !== quote) {
      end += this.#bytes[end] === backslash ? 2 : 1
      if (end - from > spellingBytesMax) return undefined
    }
    if (this.#bytes[end + 1] !== colon) return undefined
    this.#place = end + 2
    const text = this.#bytes.toString('latin1', from, end + 2)
    return this.#spellings.get(text) ?? this.#newSpelling(text)
  }

  #newSpelling(text: string): Spelling | undefined {
    const key = parseJson(text.slice(0, -1))
    if (typeof key !== 'string' || `${JSON.stringify(key)}:` !== text) return undefined
    const series = knownSeries(key)
    if (!series) return undefined
    const spelling = { bytes: Buffer.from(text), key, series, lastReport: 0, next: undefined }
    if (this.#spellings.size < spellingsMax) {
      this.#spellings.set(text, spelling)
      return spelling
    }
    // This report is not read: a series in it could get a second spelling, and come twice.
    this.#spellings.clear()
    return undefined
  }

  #byte(): number | undefined {
    return this.#bytes[this.#place]
  }

  #skip(expected: Buffer): boolean {
    for (let index = 0; index < expected.length; index++)
      if (this.#bytes[this.#place + index] !== expected[index]) return false
    this.#place += expected.length
    return true
  }

  /** NaN: there is no number of this form. Also of `#number`. */
  #whole(): number {
    const from = this.#place
    let place = from
    let value = 0
    for (; isDigit(this.#bytes[place]); place++) value = value * 10 + this.#bytes[place]! - zero
    this.#place = place
    const digits = place - from
    if (digits === 0 || digits > digitsMax || (digits > 1 && this.#bytes[from] === zero)) return NaN
    return value
  }

  #number(): number {
    const from = this.#place
    const whole = this.#whole()
    if (!isInNumber(this.#byte())) return whole
    let end = this.#place
    while (isInNumber(this.#bytes[end]) && end - from < numberBytesMax) end += 1
    this.#place = end
    const text = this.#bytes.toString('latin1', from, end)
    return numberPattern.test(text) ? Number(text) : NaN
  }
}

const isInstant = (value: number): boolean => Number.isInteger(value) && value <= instantMax

const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= zero && byte <= nine

const isInNumber = (byte: number | undefined): boolean =>
  isDigit(byte) || byte === point || byte === smallE || byte === largeE || byte === plus || byte === minus
