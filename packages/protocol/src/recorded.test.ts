/**
 * Messages as released versions wrote them (packages/protocol/recorded): `first.json` without any field that was added later, and
 * one file for each release. A message that is recorded must be understood as long as its wire version is.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { z } from 'zod'
import { desiredChangedSchema, desiredSchema } from './desired.ts'
import { decode, encode } from './envelope.ts'
import { evidenceSchema } from './evidence.ts'
import { AnswerParts, orderAnswerSchema } from './order-answers.ts'
import { orderSchema } from './orders.ts'
import { presenceSchema } from './presence.ts'
import { reportSchema, storedReportsSchema } from './report.ts'
import { traceBatchSchema } from './trace.ts'

const schemas: Record<string, z.ZodType> = {
  presence: presenceSchema,
  report: reportSchema,
  storedReports: storedReportsSchema,
  desired: desiredSchema,
  desiredChanged: desiredChangedSchema,
  order: orderSchema,
  orderAnswer: orderAnswerSchema,
  evidence: evidenceSchema,
  traceBatch: traceBatchSchema,
}
const folder = join(import.meta.dirname, '../recorded')
const recordings = readdirSync(folder).map((file) => ({
  file,
  messages: JSON.parse(readFileSync(join(folder, file), 'utf8')) as Record<string, unknown>,
}))
const recorded = recordings.flatMap(({ file, messages }) =>
  Object.entries(messages).map(([name, message]) => ({ title: `${file} ${name}`, name, message })),
)

const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../package.json'), 'utf8')) as {
  version: string
}

test('every release has recorded each kind of message', () => {
  for (const { file, messages } of recordings)
    assert.deepEqual(Object.keys(messages).sort(), Object.keys(schemas).sort(), file)
})

/** Optional fields that no single message has together with the others. */
const elsewhere = new Set(['orderAnswer.reason'])

/** The fields of the schema that the recorded message does not have, at any depth. */
function missingFields(schema: unknown, value: unknown, path: string): string[] {
  if (schema instanceof z.ZodOptional) return missingFields(schema.unwrap(), value, path)
  if (schema instanceof z.ZodPipe) return missingFields(schema.in, value, path)
  if (schema instanceof z.ZodArray) return missingFields(schema.element, (value as unknown[])[0], path)
  if (!(schema instanceof z.ZodObject)) return []
  return Object.entries(schema.shape).flatMap(([field, inner]) => {
    const name = `${path}.${field}`
    const written = (value as Record<string, unknown> | undefined)?.[field]
    if (written === undefined) return elsewhere.has(name) ? [] : [name]
    return missingFields(inner, written, name)
  })
}

test('the recording of this version has every field that it can write', () => {
  const current = recordings.find(({ file }) => file === `${version}.json`)
  const missing = Object.entries(schemas).flatMap(([name, schema]) =>
    missingFields(schema, current?.messages[name], name),
  )
  assert.deepEqual(missing, [], `add them to packages/protocol/recorded/${version}.json`)
})

test('a recorded message is understood, and nothing of it is lost or changed', () => {
  for (const { title, name, message } of recorded)
    assert.deepEqual(decode(schemas[name]!, encode(message)), { ok: true, value: message }, title)
})

test('a recorded answer to an order is the result of its kind', () => {
  for (const { title, name, message } of recorded) {
    if (name !== 'orderAnswer') continue
    const decoded = decode(orderAnswerSchema, encode(message))
    assert.ok(decoded.ok, title)
    assert.deepEqual(
      new AnswerParts('kick-user').add(decoded.value),
      { ok: true, result: { sessions: 1 } },
      title,
    )
  }
})

/** Objects whose names are data. What a newer version adds there is judged where it is used. */
const data = new Set(['gauges', 'counters', 'counts', 'layer'])

/** The message as a newer version may write it: with a further field in each object. */
function withFieldsOfTomorrow(value: unknown, name = ''): unknown {
  if (Array.isArray(value)) return value.map((item) => withFieldsOfTomorrow(item))
  if (typeof value !== 'object' || value === null || data.has(name)) return value
  const fields = Object.entries(value).map(([key, each]) => [key, withFieldsOfTomorrow(each, key)])
  const added = name === 'histograms' ? {} : { addedLater: { by: ['a', 'newer version'] } }
  return { ...Object.fromEntries(fields), ...added }
}

test('fields that a newer version adds, at any depth, are ignored', () => {
  for (const { title, name, message } of recorded) {
    const newer = withFieldsOfTomorrow(message)
    // Control parses the result for the kind of the order (order-answers.ts).
    if (name === 'orderAnswer')
      Object.assign(newer as object, { result: (message as { result: unknown }).result })
    assert.notDeepEqual(newer, message)
    assert.deepEqual(decode(schemas[name]!, encode(newer)), { ok: true, value: message }, title)
  }
})

test('series that a newer edge counts are left out, and the others are kept', () => {
  for (const { title, name, message } of recorded) {
    if (name !== 'presence' && name !== 'report') continue
    const { gauges } = message as { gauges: Record<string, number> }
    const newer = { ...(message as object), gauges: { ...gauges, measured_later: 1 } }
    const decoded = decode(schemas[name]!, encode(newer))
    assert.ok(decoded.ok, title)
    assert.deepEqual((decoded.value as { gauges: unknown }).gauges, gauges, title)
  }
})
