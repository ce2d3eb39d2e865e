import assert from 'node:assert/strict'
import { test } from 'node:test'
import { edgeMetrics, Metrics } from '@imapfleet/observe'
import { decode, encode, instantMax, reportSchema, seriesOfEdgeMax, subjects } from '@imapfleet/protocol'
import fc from 'fast-check'
import { packFigures } from './packed.ts'
import { ReportReader } from './report-reader.ts'

const sender = { v: 1, edge: 'eu-1', region: 'eu', boot: '0191d5a0-0000-7000-8000-000000000001' } as const
const times = { at: 1_800_000_000_000, startedAt: 1_799_999_000_000, sequence: 7 }
const subject = subjects.report(sender)
const message = (text: string) => ({ subject, data: Buffer.from(text) })

/** What an edge measures, after it has served a while. */
function snapshot() {
  const metrics = new Metrics(edgeMetrics)
  metrics.counters.logins_total({ upstream: 'main', result: 'ok' }).value = 5
  metrics.counters.client_bytes_total.value = 123_456_789_012
  metrics.counterFrom('cpu_seconds_total', () => 1.75)
  metrics.gauge('upstream_healthy', () => [
    [{ upstream: 'main' }, 1],
    [{ upstream: 'other' }, 0],
  ])
  metrics.gauge('certificate_expiry_seconds', () => [[{ owner: 'listeners.imaps' }, 1_800_000_000.5]])
  for (const milliseconds of [0, 0.0001, 0.001, 1, 1.0000001, 1234, 86_400_000])
    metrics.histograms.session_seconds.observe(milliseconds)
  metrics.histograms.login_seconds.observe(0.0005)
  return metrics.snapshot()
}

const usual = { ...sender, ...times, ...snapshot() }
const text = JSON.stringify(usual)

class Numbers {
  readonly #numbers = new Map<string, number>()

  numberOf(key: string): number {
    // Neither in the order of their first use nor one after the other.
    const number = this.#numbers.get(key) ?? ((this.#numbers.size * 37) % 101) + 1
    this.#numbers.set(key, number)
    return number
  }
}

const numbers = new Numbers()

/** One that has accepted a report of the sender, as it is in use. */
function experienced(first = text): ReportReader {
  const reader = new ReportReader()
  const decoded = decode(reportSchema, Buffer.from(first))
  assert.ok(decoded.ok)
  reader.learn(message(first), decoded.value)
  return reader
}

/** What the schema makes of it. Undefined: it refuses the report, or leaves a part of it out. */
function bySchema(written: string) {
  const decoded = decode(reportSchema, Buffer.from(written))
  if (!decoded.ok || decoded.value.leftOut || subjects.report(decoded.value) !== subject) return undefined
  const { edge, region, boot, at, startedAt, sequence } = decoded.value
  const figures = packFigures(decoded.value, (key) => numbers.numberOf(key))
  return { edge, region, boot, at, startedAt, sequence, figures }
}

/** From the first byte that is not that of the usual report. */
function differing(written: string): string {
  let first = 0
  while (written[first] === text[first] && first < text.length) first += 1
  return written.slice(Math.max(0, first - 40), first + 60)
}

const isRead = (written: string, reader = experienced()) =>
  reader.read(message(written), numbers) !== undefined

test('a report as an edge writes it is read as the schema reads it', () => {
  const reader = experienced()
  for (const written of [
    text,
    JSON.stringify({ ...usual, at: 1, startedAt: 0, sequence: 1, counters: {}, gauges: {}, histograms: {} }),
    JSON.stringify({ ...usual, at: instantMax, counters: { client_bytes_total: 999_999_999_999_999 } }),
    JSON.stringify({ ...usual, gauges: { config_revision: 3, upstreams_idle: 0, memory_rss_bytes: 5e8 } }),
    text,
  ]) {
    const read = reader.read(message(written), numbers)
    assert.deepEqual(read, bySchema(written))
    assert.ok(read)
  }
})

test('a report is read only after one of its sender was accepted, and only from the same boot', () => {
  assert.equal(isRead(text, new ReportReader()), false)
  const reader = experienced()
  assert.equal(reader.read({ ...message(text), subject: `${subject}0` }, numbers), undefined)
  for (const other of [
    { boot: '0191d5a0-0000-7000-8000-000000000002' },
    { edge: 'eu-2' },
    { region: 'us' },
    { v: 2 },
  ])
    assert.equal(isRead(JSON.stringify({ ...usual, ...other }), reader), false)
  assert.equal(isRead(text, reader), true)
})

test('the sender of a report is not learned from an object in it', () => {
  const head = JSON.stringify(sender).slice(0, -1)
  const tail = text.slice(text.indexOf('"at":'))
  // Accepted: the fields of the last two lines count. Its start, up to the first time, is within an object.
  const reader = experienced(`${head},"other":{${tail.slice(0, -1)}},${tail}`)
  assert.equal(isRead(`${head},"other":{${tail}`, reader), false)
  assert.equal(isRead(text, reader), false)
})

test('a sender that names itself twice is read as the last name says', () => {
  const twice = text.replace('"edge":"eu-1"', '"edge":"us-9","edge":"eu-1"')
  const reader = experienced(twice)
  assert.deepEqual(reader.read(message(twice), numbers), bySchema(twice))
  const later = `${text.replace('"edge":"eu-1"', '"edge":"us-9"').slice(0, -1)},"edge":"eu-1"}`
  assert.equal(isRead(later, experienced(later)), false)
})

test('what differs from the form of an edge is left to the schema', () => {
  const replaced = (from: string, to: string) => {
    assert.ok(text.includes(from), from)
    return text.replace(from, to)
  }
  const withLogins = (histogram: string) =>
    JSON.stringify({ ...usual, histograms: { login_seconds: 0 } }).replace('0}}', `${histogram}}}`)
  assert.ok(isRead(withLogins('{"sum":0.002,"counts":{"80":1,"81":1}}')))
  const bytes = '"client_bytes_total":123456789012'
  const large = Object.fromEntries(
    Array.from({ length: seriesOfEdgeMax + 1 }, (_, index) => [
      `upstream_reuses_total{upstream="u${index}"}`,
      1,
    ]),
  )
  for (const written of [
    '',
    '{}',
    ` ${text}`,
    `${text} `,
    `${text}}`,
    `\uFEFF${text}`,
    text.slice(0, -1),
    replaced('"at":', '"at": '),
    replaced('"at":1800000000000', '"at":-1'),
    replaced('"at":1800000000000', '"at":1.5'),
    replaced('"at":1800000000000', `"at":${instantMax + 1}`),
    replaced('"sequence":7', '"sequence":0'),
    replaced('"sequence":7', '"sequence":07'),
    replaced('"sequence":7', '"sequence":7,"sequence":8'),
    replaced(bytes, '"client_bytes_total":-1'),
    replaced(bytes, '"client_bytes_total":0.5'),
    replaced(bytes, '"client_bytes_total":00'),
    replaced(bytes, '"client_bytes_total":1.'),
    replaced(bytes, '"client_bytes_total":1e'),
    replaced(bytes, '"client_bytes_total":1e400'),
    replaced(bytes, '"client_bytes_total":'),
    replaced(bytes, '"client_bytes_total":null'),
    replaced(bytes, '"client_bytes_total":"1"'),
    replaced(bytes, '"client_bytes_total":9007199254740993'),
    replaced(bytes, `${bytes},`),
    replaced(bytes, `${bytes},${bytes}`),
    replaced(bytes, '"client\\u005fbytes_total":1'),
    replaced(bytes, '"of_a_newer_version_total":1'),
    replaced(bytes, '"__proto__":1'),
    replaced(bytes, '"upstreams_idle":1'),
    replaced(bytes, '"login_seconds":1'),
    replaced('"gauges":{', '"gauges":{"client_bytes_total":1,'),
    replaced('"gauges":{', '"gauges":[{'),
    replaced('{"sum":', '{"other":1,"sum":'),
    replaced('{"sum":', '{"sum":1e300,"sum":'),
    replaced('"counts":{"0":', '"counts":{"0":1,"0":'),
    replaced('"counts":{"0":', '"counts":{"1":1,"0":'),
    replaced('"counts":{"0":', '"counts":{"00":'),
    replaced('"counts":{"0":', '"counts":{"-0":'),
    replaced('"counts":{"0":', '"counts":{"0":0.'),
    replaced('}}}}', '},}}}'),
    replaced('}}}}', ',"271":1}}}}'),
    replaced('}}}}', ',"272":1}}}}'),
    // Two buckets not in order, one bucket twice, and a sum with more digits than a number.
    withLogins('{"sum":0.002,"counts":{"81":1,"80":1}}'),
    withLogins('{"sum":0.003,"counts":{"80":1,"81":1,"80":1}}'),
    withLogins('{"sum":20000000000000000001,"counts":{"271":900000000000000}}'),
    JSON.stringify({ ...usual, counters: large }),
    JSON.stringify({ ...usual, more: 1 }),
  ])
    assert.equal(isRead(written), false, differing(written))
})

test('a series without a number is left to the schema, which remembers it', () => {
  const reader = experienced()
  assert.equal(reader.read(message(text), { numberOf: () => undefined }), undefined)
  assert.equal(isRead(text, reader), true)
})

test('whatever the bytes, what is read is what the schema accepts, with the same figures', () => {
  const pieces = [
    '"',
    '{',
    '}',
    ',',
    ':',
    '0',
    '9',
    '1e3',
    '.5',
    '-',
    '\\',
    ' ',
    '"0":1,',
    '"gauges":{',
    'é',
    '\0',
  ]
  const change = fc.record({
    from: fc.nat(text.length),
    length: fc.nat(3),
    to: fc.oneof(
      fc.constantFrom(...pieces),
      // A part of the report once more.
      fc.tuple(fc.nat(text.length), fc.nat(60)).map(([start, length]) => text.slice(start, start + length)),
    ),
  })
  const reader = experienced()
  let [read, refused] = [0, 0]
  fc.assert(
    fc.property(fc.array(change, { maxLength: 3 }), (changes) => {
      let written = text
      for (const { from, length, to } of changes)
        written = written.slice(0, from) + to + written.slice(from + length)
      const found = reader.read(message(written), numbers)
      if (found) assert.deepEqual(found, bySchema(written), written)
      if (found) read += 1
      else refused += 1
    }),
    { seed: 20_261_129, numRuns: 5_000 },
  )
  assert.ok(read > 500 && refused > 500, `${read} were read, ${refused} were not`)
})

test('whatever an edge counts, its report is read as the schema reads it', () => {
  const whole = fc.oneof(fc.nat(300), fc.nat({ max: 999_999_999_999_999 }))
  const counts = fc.dictionary(fc.nat(271).map(String), fc.nat(1_000_000), {
    maxKeys: 272,
    noNullPrototype: true,
  })
  const names = ['main', 'a.b', '0_a', 'x:993']
  const counters = fc.dictionary(
    fc.constantFrom(
      'client_bytes_total',
      ...names.map((name) => `upstream_reuses_total{upstream="${name}"}`),
    ),
    whole,
    { noNullPrototype: true },
  )
  const reader = experienced()
  fc.assert(
    fc.property(counters, counts, whole, (counted, values, sequence) => {
      const sum = Object.entries(values).reduce(
        (total, [bucket, count]) => total + (count * 2 ** (Number(bucket) / 8)) / 1e6,
        0,
      )
      const histograms = { login_seconds: { sum, counts: values } }
      const written = JSON.stringify({ ...usual, sequence: sequence + 1, counters: counted, histograms })
      const expected = bySchema(written)
      assert.ok(expected)
      assert.deepEqual(reader.read(message(written), numbers), expected)
    }),
    { seed: 20_261_129, numRuns: 300 },
  )
})

test('what a report costs does not grow with the senders and series that were seen', () => {
  const reader = experienced()
  const series = (index: number) => ({ [`upstream_reuses_total{upstream="u${index}"}`]: index })
  // More than are remembered.
  for (let index = 0; index < 60_000; index += 1_000) {
    const counters = Object.assign(
      {},
      ...Array.from({ length: 1_000 }, (_, nth) => series(index + nth)),
    ) as object
    const written = JSON.stringify({ ...usual, counters })
    const read = reader.read(message(written), numbers)
    if (read) assert.deepEqual(read.figures, bySchema(written)?.figures)
  }
  assert.equal(isRead(text, reader), true)
})

test('bytes that are not a report of the size of one are refused before they are searched', () => {
  const reader = new ReportReader()
  const padding = `"padding":"${'x'.repeat(1_000)}"`
  const padded = text.replace('{', `{${padding},`)
  const decoded = decode(reportSchema, encode(JSON.parse(padded)))
  assert.ok(decoded.ok)
  reader.learn(message(padded), decoded.value)
  assert.equal(isRead(padded, reader), false)
})
