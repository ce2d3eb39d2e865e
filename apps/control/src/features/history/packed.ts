/**
 * The storage format of figures: series by number, each number in as few bytes as possible; an eighth of the size of
 * JSON. The first byte is the version of the format.
 */
import type { Histogram } from '@imapfleet/observe'
import type { Gauge } from './rows.ts'

const format = 1
/** Whole numbers below this are stored doubled; other numbers as floats after a 1. */
const wholeMax = 2 ** 51

/** Numbers of series. A series without a number is left out. */
export type NumberOf = (key: string) => number | undefined
/** Names of series. A series without a name is left out. */
export type KeyOf = (number: number) => string | undefined

/** Of counters, and of gauges in reports. */
export const packCounters = (counters: Readonly<Record<string, number>>, numberOf: NumberOf): Buffer =>
  pack(counters, numberOf, (writer, value) => writer.number(value))

export const packGauges = (gauges: Readonly<Record<string, Gauge>>, numberOf: NumberOf): Buffer =>
  pack(gauges, numberOf, (writer, gauge) => {
    writer.whole(gauge.count)
    for (const value of [gauge.sum, gauge.last, gauge.max, gauge.min]) writer.number(value)
  })

export const packHistograms = (histograms: Readonly<Record<string, Histogram>>, numberOf: NumberOf): Buffer =>
  pack(histograms, numberOf, (writer, { sum, counts }) => {
    const buckets = Object.keys(counts)
    writer.number(sum)
    writer.whole(buckets.length)
    let last = 0
    // Keys that are whole numbers are iterated in ascending order.
    for (const bucket of buckets) {
      writer.whole(Number(bucket) - last)
      writer.whole(counts[bucket]!)
      last = Number(bucket)
    }
  })

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
  unpack(bytes, keyOf, (reader) => {
    const sum = reader.number()
    const counts: Record<string, number> = {}
    let bucket = 0
    for (let left = reader.whole(); left > 0; left--) {
      bucket += reader.whole()
      counts[bucket] = reader.whole()
    }
    return { sum, counts }
  })

function pack<T>(
  values: Readonly<Record<string, T>>,
  numberOf: NumberOf,
  write: (writer: Writer, value: T) => void,
): Buffer {
  const writer = new Writer()
  writer.whole(format)
  let last = 0
  for (const [key, value] of Object.entries(values)) {
    const number = numberOf(key)
    if (number === undefined) continue
    writer.signed(number - last)
    write(writer, value)
    last = number
  }
  return writer.bytes()
}

function unpack<T>(bytes: Uint8Array, keyOf: KeyOf, read: (reader: Reader) => T): Record<string, T> {
  const reader = new Reader(bytes)
  const found = reader.whole()
  if (found !== format)
    throw new Error(`stored figures have the format ${found}, which this version does not know`)
  const values: Record<string, T> = {}
  let number = 0
  while (!reader.isAtEnd) {
    number += reader.signed()
    const key = keyOf(number)
    const value = read(reader)
    if (key !== undefined) values[key] = value
  }
  return values
}

/** One buffer for all calls, because nothing is awaited between its first and last byte. */
let room = Buffer.allocUnsafe(16_384)

class Writer {
  #length = 0

  /** In groups of seven bits, the lowest first. */
  whole(value: number): void {
    this.#reserve()
    let rest = value
    while (rest >= 128) {
      room[this.#length++] = (rest % 128) + 128
      rest = Math.floor(rest / 128)
    }
    room[this.#length++] = rest
  }

  signed(value: number): void {
    this.whole(value < 0 ? value * -2 - 1 : value * 2)
  }

  number(value: number): void {
    if (Number.isInteger(value) && value >= 0 && value < wholeMax) return this.whole(value * 2)
    this.whole(1)
    this.#length = room.writeDoubleLE(value, this.#length)
  }

  bytes(): Buffer {
    return Buffer.from(room.subarray(0, this.#length))
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
