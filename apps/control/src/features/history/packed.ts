/**
 * The storage format of figures: series by number, each number in as few bytes as possible; an eighth of the size of
 * JSON. The first byte is the version of the format.
 */
import type { Histogram } from '@imapfleet/observe'
import type { Report } from '@imapfleet/protocol'
import type { BucketList } from './increases.ts'
import type { Gauge } from './rows.ts'

const format = 1
/** Whole numbers below this are stored doubled; other numbers as floats after a 1. */
const wholeMax = 2 ** 51
const int32Max = 2 ** 31 - 1

/** Numbers of series. A series without a number is left out. */
export type NumberOf = (key: string) => number | undefined
/** Names of series. A series without a name is left out. */
export type KeyOf = (number: number) => string | undefined

/** Of counters, and of gauges in reports. */
export const packCounters = (counters: Readonly<Record<string, number>>, numberOf: NumberOf): Buffer =>
  pack(counters, numberOf, writeNumber)

export const packGauges = (gauges: Readonly<Record<string, Gauge>>, numberOf: NumberOf): Buffer =>
  pack(gauges, numberOf, (writer, gauge) => {
    writer.whole(gauge.count)
    for (const value of [gauge.sum, gauge.last, gauge.max, gauge.min]) writer.number(value)
  })

export const packHistograms = (histograms: Readonly<Record<string, Histogram>>, numberOf: NumberOf): Buffer =>
  pack(histograms, numberOf, writeHistogram)

/** The figures of a report, one kind after the other. */
export interface ReportFigures {
  bytes: Buffer
  /** How many of the bytes are of this kind. */
  counters: number
  gauges: number
  histograms: number
}

/** As `packCounters` of the counters and of the gauges, and `packHistograms`. */
export function packFigures(
  { counters, gauges, histograms }: Pick<Report, 'counters' | 'gauges' | 'histograms'>,
  numberOf: NumberOf,
): ReportFigures {
  const writer = new Writer()
  writeAll(writer, counters, numberOf, writeNumber)
  const countersEnd = writer.length
  writeAll(writer, gauges, numberOf, writeNumber)
  const gaugesEnd = writer.length
  writeAll(writer, histograms, numberOf, writeHistogram)
  return writer.figures(countersEnd, gaugesEnd)
}

const writeNumber = (writer: Writer, value: number): void => writer.number(value)

function writeHistogram(writer: Writer, { sum, counts }: Histogram): void {
  // Keys that are whole numbers are iterated in ascending order.
  const buckets = Object.keys(counts).map(Number)
  writer.histogram(sum, buckets, Object.values(counts), buckets.length)
}

export const unpackCounters = (bytes: Uint8Array, keyOf: KeyOf): Record<string, number> =>
  unpack(bytes, keyOf, (reader) => reader.number())

export const unpackGauges = (bytes: Uint8Array, keyOf: KeyOf): Record<string, Gauge> =>
  unpack(bytes, keyOf, (reader) => ({
    count: reader.whole(),
    sum: reader.number(),
    last: reader.number(),
    max: reader.number(),
    min: reader.number(),
  }))

export const unpackHistograms = (bytes: Uint8Array, keyOf: KeyOf): Record<string, Histogram> =>
  unpack(bytes, keyOf, (reader, isWanted) => {
    const sum = reader.number()
    const counts: Record<string, number> = {}
    let bucket = 0
    for (let left = reader.whole(); left > 0; left--) {
      bucket += reader.whole()
      const count = reader.whole()
      if (isWanted) counts[bucket] = count
    }
    return { sum, counts }
  })

/** As reports have them: reading them so takes less time and memory. */
export const unpackBucketLists = (bytes: Uint8Array, keyOf: KeyOf): Record<string, BucketList> =>
  unpack(bytes, keyOf, (reader, isWanted) => {
    const list = { sum: reader.number(), buckets: new Array<number>(), counts: new Array<number>() }
    let bucket = 0
    for (let left = reader.whole(); left > 0; left--) {
      bucket += reader.whole()
      const count = reader.whole()
      if (!isWanted) continue
      list.buckets.push(bucket)
      list.counts.push(count)
    }
    return list
  })

function pack<T>(
  values: Readonly<Record<string, T>>,
  numberOf: NumberOf,
  write: (writer: Writer, value: T) => void,
): Buffer {
  const writer = new Writer()
  writeAll(writer, values, numberOf, write)
  return writer.bytes()
}

function writeAll<T>(
  writer: Writer,
  values: Readonly<Record<string, T>>,
  numberOf: NumberOf,
  write: (writer: Writer, value: T) => void,
): void {
  writer.begin()
  for (const [key, value] of Object.entries(values)) {
    const number = numberOf(key)
    if (number === undefined) continue
    writer.series(number)
    write(writer, value)
  }
}

function unpack<T>(
  bytes: Uint8Array,
  keyOf: KeyOf,
  /** What is not wanted is read too, because the next value follows it. */
  read: (reader: Reader, isWanted: boolean) => T,
): Record<string, T> {
  const reader = new Reader(bytes)
  const found = reader.whole()
  if (found !== format)
    throw new Error(`stored figures have the format ${found}, which this version does not know`)
  const values: Record<string, T> = {}
  let number = 0
  while (!reader.isAtEnd) {
    number += reader.signed()
    const key = keyOf(number)
    const value = read(reader, key !== undefined)
    if (key !== undefined) values[key] = value
  }
  return values
}

/** One buffer for all writers, because nothing is awaited between the first and the last byte of one. */
let room = Buffer.allocUnsafe(16_384)

/** Only one is in use at a time. */
export class Writer {
  #length = 0
  #lastSeries = 0

  get length(): number {
    return this.#length
  }

  /** The figures of one kind begin here. */
  begin(): void {
    this.whole(format)
    this.#lastSeries = 0
  }

  /** The value of this series follows. */
  series(number: number): void {
    const step = number - this.#lastSeries
    this.whole(step < 0 ? step * -2 - 1 : step * 2)
    this.#lastSeries = number
  }

  /** In groups of seven bits, the lowest first. */
  whole(value: number): void {
    this.#reserve()
    let rest = value
    while (rest > int32Max) {
      room[this.#length++] = (rest % 128) + 128
      rest = Math.floor(rest / 128)
    }
    // Most are small, and bits of a small number are cheap.
    while (rest >= 128) {
      room[this.#length++] = (rest & 127) | 128
      rest >>>= 7
    }
    room[this.#length++] = rest
  }

  number(value: number): void {
    if (Number.isInteger(value) && value >= 0 && value < wholeMax) return this.whole(value * 2)
    this.whole(1)
    this.#length = room.writeDoubleLE(value, this.#length)
  }

  /** The first `length` buckets and their counts. The buckets ascend. */
  histogram(sum: number, buckets: ArrayLike<number>, counts: ArrayLike<number>, length: number): void {
    this.number(sum)
    this.whole(length)
    let last = 0
    for (let index = 0; index < length; index++) {
      const bucket = buckets[index]!
      this.whole(bucket - last)
      this.whole(counts[index]!)
      last = bucket
    }
  }

  bytes(): Buffer {
    const bytes = Buffer.allocUnsafe(this.#length)
    room.copy(bytes, 0, 0, this.#length)
    return bytes
  }

  /** What was written until these places, and after them, are figures of one kind. */
  figures(countersEnd: number, gaugesEnd: number): ReportFigures {
    return {
      bytes: this.bytes(),
      counters: countersEnd,
      gauges: gaugesEnd - countersEnd,
      histograms: this.#length - gaugesEnd,
    }
  }

  #reserve(): void {
    if (this.#length + 32 > room.length) room = Buffer.concat([room], room.length * 2)
  }
}

class Reader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #place = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get isAtEnd(): boolean {
    return this.#place >= this.#bytes.length
  }

  whole(): number {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = this.#bytes[this.#place++]
      if (byte === undefined) throw new Error('stored figures end too early')
      if (byte < 128) return value + byte * scale
      value += (byte - 128) * scale
    }
  }

  signed(): number {
    const value = this.whole()
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }

  number(): number {
    const value = this.whole()
    if (value % 2 === 0) return value / 2
    this.#place += 8
    return this.#view.getFloat64(this.#place - 8, true)
  }
}
