import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { desiredChangedSchema, desiredSchema, isConcerned } from './desired.ts'
import { decode, encode, messageBytesMax } from './envelope.ts'
import { evidenceSchema } from './evidence.ts'
import { orderAnswerSchema } from './order-answers.ts'
import { orderSchema } from './orders.ts'
import { presenceSchema } from './presence.ts'
import { reportSchema, storedReportsSchema } from './report.ts'
import { traceBatchSchema } from './trace.ts'

const id = '0191d5a0-0000-7000-8000-000000000001'
const sender = { v: 1, edge: 'eu-1', region: 'eu', boot: id, at: 1_760_000_000_000 }

/** One message of each family, as it should be. */
const families = {
  presence: {
    schema: presenceSchema,
    message: {
      ...sender,
      version: '0.1.0',
      startedAt: 1,
      state: 'serving',
      config: { applied: 0, versions: { global: 0, region: 0, edge: 0 } },
      revocations: 0,
      gauges: { upstreams_idle: 3 },
      degraded: [],
      listeners: ['127.0.0.1:143'],
    },
  },
  report: {
    schema: reportSchema,
    message: {
      ...sender,
      startedAt: 1,
      sequence: 1,
      counters: { 'logins_total{upstream="main",result="ok"}': 2 },
      gauges: {},
      histograms: { login_seconds: { sum: 0.0625, counts: { 120: 2 } } },
    },
  },
  storedReports: { schema: storedReportsSchema, message: { v: 1, boot: id, sequences: [1, 2] } },
  desired: {
    schema: desiredSchema,
    message: {
      v: 1,
      version: 1,
      config: { revision: 0, layer: {}, versions: { global: 0, region: 0, edge: 0 } },
      traces: [],
      revocations: [],
      drain: false,
    },
  },
  desiredChanged: { schema: desiredChangedSchema, message: { v: 1, version: 7 } },
  order: {
    schema: orderSchema,
    message: { v: 1, id, givenBy: 'ops', at: 1, expiresAt: 2, action: { kind: 'kick-user', user: 'joe' } },
  },
  orderAnswer: {
    schema: orderAnswerSchema,
    message: { ...sender, order: id, ok: true, result: null, more: false },
  },
  evidence: {
    schema: evidenceSchema,
    message: { ...sender, sequence: 1, changes: [{ kind: 'proven', user: 'joe' }], isIncomplete: false },
  },
  traceBatch: {
    schema: traceBatchSchema,
    message: {
      ...sender,
      trace: id,
      user: 'joe',
      sequence: 1,
      lines: [{ at: 1, session: 's', from: 'C', text: 'a NOOP' }],
    },
  },
}

const cases = Object.entries(families)
const text = (words: string) => new TextEncoder().encode(words)

test('a message of each family is decoded as it was encoded', () => {
  for (const [name, { schema, message }] of cases)
    assert.deepEqual(decode(schema, encode(message)), { ok: true, value: message }, name)
})

test('unknown fields are ignored', () => {
  for (const [name, { schema, message }] of cases)
    assert.deepEqual(
      decode(schema, encode({ ...message, addedLater: [1] })),
      { ok: true, value: message },
      name,
    )
})

test('another wire version is refused, and the reason names it', () => {
  for (const [name, { schema, message }] of cases) {
    const decoded = decode(schema, encode({ ...message, v: 2 }))
    assert.match(decoded.ok ? '' : decoded.reason, /^v: /, name)
  }
})

test('a message without a required field is refused, and the reason names the field', () => {
  const optional = new Set(['result'])
  for (const [name, { schema, message }] of cases)
    for (const field of Object.keys(message).filter((key) => !optional.has(key))) {
      const decoded = decode(schema, encode({ ...message, [field]: undefined }))
      assert.ok(!decoded.ok && decoded.reason.startsWith(field), `${name}.${field}`)
    }
})

test('bytes that are too large, not UTF-8, or not JSON are refused before parsing', () => {
  const reasonFor = (bytes: Uint8Array) => {
    const decoded = decode(presenceSchema, bytes)
    return decoded.ok ? 'accepted' : decoded.reason
  }
  assert.equal(reasonFor(new Uint8Array(messageBytesMax + 1)), `larger than ${messageBytesMax} bytes`)
  for (const bytes of [
    text(''),
    text('{'),
    text('nul'),
    Uint8Array.of(0x22, 0xff, 0x22),
    text(JSON.stringify(sender).slice(1)),
  ])
    assert.equal(reasonFor(bytes), 'not JSON')
  assert.match(reasonFor(text('null')), /^message: /)
})

test('malformed names, malformed numbers, and times out of range are refused', () => {
  const { message } = families.report
  for (const wrong of [
    { edge: 'a.b' },
    { edge: '*' },
    { region: '>' },
    { region: '' },
    { boot: 'x' },
    { at: -1 },
    { at: 8.64e15 },
    { sequence: 0 },
  ])
    assert.ok(!decode(reportSchema, encode({ ...message, ...wrong })).ok, JSON.stringify(wrong))
  for (const number of ['1e999', '-1', '"1"', 'null']) {
    const written = JSON.stringify(message).replace(/:2}/, `:${number}}`)
    assert.ok(!decode(reportSchema, text(written)).ok, number)
  }
})

test('a heartbeat with text that Postgres cannot store is refused', () => {
  const { message } = families.presence
  for (const wrongText of ['a\0b', 'a\ud800b'])
    for (const wrong of [
      { version: wrongText },
      { config: { applied: 0, rejected: { revision: 1, reason: wrongText } } },
      { degraded: [wrongText] },
      { unsaved: wrongText },
      { listeners: [wrongText] },
    ])
      assert.ok(!decode(presenceSchema, encode({ ...message, ...wrong })).ok, JSON.stringify(wrong))
})

test('decoding never throws, whatever the bytes', () => {
  const bytes = fc.uint8Array({ maxLength: 200 })
  const nested = fc.integer({ min: 1, max: 1_000 }).map((depth) => text('[{"v":'.repeat(depth)))
  const json = fc.jsonValue().map((value) => encode(value))
  // A right message with one field replaced by anything gets further than noise.
  const broken = fc
    .tuple(fc.constantFrom(...cases), fc.nat(20), fc.jsonValue())
    .map(([[, { message }], at, value]) => {
      const fields = Object.keys(message)
      return encode({ ...message, [fields[at % fields.length]!]: value })
    })
  fc.assert(
    fc.property(fc.oneof(bytes, json, { arbitrary: broken, weight: 4 }, nested), (input) => {
      for (const [, { schema }] of cases) {
        const decoded = decode(schema, input)
        assert.ok(decoded.ok || decoded.reason.length > 0)
      }
    }),
    { seed: 20_260_105, numRuns: 500 },
  )
})

test('the deepest nesting that fits into a message is refused', () => {
  const half = messageBytesMax / 2
  for (const deep of ['['.repeat(messageBytesMax), '['.repeat(half) + ']'.repeat(half)])
    assert.ok(!decode(presenceSchema, text(deep)).ok)
})

test('a key __proto__ is not passed on', () => {
  const hostile = text(
    JSON.stringify(families.report.message).replace('"gauges":{', '"gauges":{"__proto__":1,'),
  )
  const decoded = decode(reportSchema, hostile)
  assert.ok(!decoded.ok || !Object.hasOwn(decoded.value.gauges, '__proto__'))
})

test('an edge reads its desired state if it is named, or if no edge is named', () => {
  const edge = { region: 'eu', edge: 'eu-1' }
  const concerned = (edges?: string[]) => isConcerned({ v: 1, version: 7, ...(edges && { edges }) }, edge)
  assert.deepEqual([concerned(), concerned(['us-1', 'eu-1']), concerned(['us-1'])], [true, true, false])
})
