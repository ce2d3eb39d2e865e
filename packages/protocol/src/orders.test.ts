import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import {
  isDisruptiveOrder,
  orderActionSchema,
  orderKinds,
  orderResultSchema,
  orderResultText,
  parseResult,
  type OrderAction,
  type OrderKind,
  type OrderResult,
} from './orders.ts'
import { orderTitle } from './order-words.ts'

const connection = { user: 'joe', upstream: 'main', state: 'idle', since: 1, uses: 2 } as const

const samples = {
  who: { action: { kind: 'who', user: 'joe' }, result: [connection] },
  'kick-user': { action: { kind: 'kick-user', user: 'joe' }, result: { sessions: 1 } },
  'purge-idle': { action: { kind: 'purge-idle' }, result: { connections: 1200 } },
  count: { action: { kind: 'count', domain: 'example.org' }, result: { users: 2, active: 1, idle: 2 } },
  newlog: { action: { kind: 'newlog' }, result: {} },
  version: { action: { kind: 'version' }, result: { version: '0.1.0' } },
  'route-lookup': { action: { kind: 'route-lookup', user: 'joe' }, result: { upstream: 'main' } },
  'pause-upstream': { action: { kind: 'pause-upstream', upstream: 'main' }, result: {} },
} as const satisfies { [Kind in OrderKind]?: { action: OrderAction<Kind>; result: OrderResult<Kind> } }
const all = Object.entries(samples) as [keyof typeof samples, { action: OrderAction; result: OrderResult }][]

test('an action is parsed by its kind, and other fields are dropped', () => {
  for (const [kind, { action }] of all)
    assert.deepEqual(orderActionSchema.parse({ ...action, bodies: true }), action, kind)
  assert.deepEqual(orderActionSchema.parse({ kind: 'version', user: 'joe' }), { kind: 'version' })
  for (const wrong of [{ kind: 'explode' }, { kind: 'kick-user' }, { kind: 'pause-upstream', upstream: '*' }])
    assert.equal(orderActionSchema.safeParse(wrong).success, false, JSON.stringify(wrong))
})

test('a result of another kind, or without a field, is refused', () => {
  for (const [kind, { result }] of all)
    assert.deepEqual(parseResult(kind, result), { ok: true, value: result })
  assert.equal(parseResult('kick-user', samples['purge-idle'].result).ok, false)
  assert.equal(parseResult('who', samples['kick-user'].result).ok, false)
  for (const wrong of [null, 'done', { sessions: -1 }, { sessions: '1' }])
    assert.equal(parseResult('kick-user', wrong).ok, false, JSON.stringify(wrong))
})

test('a result that Postgres cannot store is refused', () => {
  for (const user of ['jo\0e', 'jo\ud800e'])
    assert.equal(parseResult('who', [{ ...connection, user }]).ok, false)
})

test('in the union of all results no kind takes the results of another', () => {
  for (const [kind, { result }] of all) assert.deepEqual(orderResultSchema.parse(result), result, kind)
  const schemas = new Set(Object.values(orderKinds).map(({ result }): z.ZodType => result))
  const fields = [...schemas].map((schema) => ({
    isList: schema instanceof z.ZodArray,
    shape: Object.entries(shapeOf(schema)),
  }))
  // The union drops fields that the chosen kind does not have, so each kind needs a required field of its own.
  for (const one of fields)
    for (const other of fields) {
      if (one === other || one.isList !== other.isList || one.shape.length === 0) continue
      const theirs = new Set(other.shape.map(([name]) => name))
      const own = one.shape.filter(([name, field]) => !(field instanceof z.ZodOptional) && !theirs.has(name))
      assert.ok(own.length > 0, one.shape.map(([name]) => name).join())
    }
})

function shapeOf(schema: z.ZodType): Record<string, unknown> {
  const inner = schema instanceof z.ZodArray ? schema.element : schema
  assert.ok(inner instanceof z.ZodObject, 'a result is an object or a list of objects')
  return inner.shape
}

test('each action and each result has a text', () => {
  for (const [kind, { action, result }] of all) {
    assert.match(orderTitle(action), /^[a-z]/, kind)
    assert.notEqual(orderResultText(kind, result), '', kind)
  }
  assert.equal(orderTitle(samples['kick-user'].action), 'kick joe')
  assert.equal(orderResultText('kick-user', { sessions: 1 }), 'ended 1 session')
  assert.equal(orderResultText('purge-idle', { connections: 1200 }), 'closed 1,200 idle connections')
  assert.equal(orderResultText('kick-user', 'done'), '')
})

test('an order that affects many users at once is disruptive, one for a user is not', () => {
  assert.ok(isDisruptiveOrder({ kind: 'pause-upstream', upstream: 'main' }))
  assert.ok(isDisruptiveOrder({ kind: 'purge-idle' }))
  assert.ok(isDisruptiveOrder({ kind: 'kick-domain', domain: 'example.org' }))
  assert.ok(!isDisruptiveOrder({ kind: 'purge-idle', user: 'joe' }))
  assert.ok(!isDisruptiveOrder({ kind: 'resume-upstream', upstream: 'main' }))
})
