import assert from 'node:assert/strict'
import { test } from 'node:test'
import { edgeListSchema, orderViewSchema, problemDetailsSchema, routes } from '@imapfleet/api'
import { z } from 'zod'
import { consoleContract } from '../../contract.ts'
import { parserOf, type Shape } from './shape.ts'

const { routes: rows, named, problem, results } = consoleContract()
const parse = (shape: Shape | undefined, data: unknown) => parserOf(shape ?? {}, named).safeParse(data)
/** Where the first fault is, or undefined. */
const faultOf = (shape: Shape | undefined, data: unknown) => {
  const parsed = parse(shape, data)
  return parsed.success ? undefined : parsed.error.issues.map(({ path }) => path.join('.')).join()
}

const edge = {
  ...{
    id: 'eu-1',
    region: 'eu',
    state: 'serving',
    version: '1',
    boot: 'b',
    listeners: ['imap'],
    degraded: [],
  },
  ...{ startedAt: '2026-11-28T10:00:00.000Z', lastSeenAt: '2026-11-28T10:00:00.000Z' },
  connections: { cached: 1, active: 2, clients: 3 },
  config: { wanted: 1, applied: 1, rejected: null },
  clockSkewMs: null,
}

test('every route has its method and path, and parsers for all that it answers', () => {
  assert.deepEqual(Object.keys(rows), Object.keys(routes))
  for (const [name, route] of Object.entries(routes)) {
    const row = rows[name as keyof typeof rows]
    assert.deepEqual(
      [row.method, row.path, row.secret],
      [route.method, route.path, 'secret' in route || undefined],
    )
    assert.equal('answer' in row, 'answer' in route, name)
    assert.equal('line' in row, 'line' in route, name)
    assert.deepEqual(Object.keys(row.events ?? {}), Object.keys('events' in route ? route.events : {}), name)
  }
})

test('an answer gets the defaults that its schema gives it, and fields of a newer control do no harm', () => {
  const data = { edges: [{ ...edge, newer: { a: 1 } }], problems: ['x'], newer: 1 }
  const parsed = parse(rows.listEdges.answer, structuredClone(data))
  assert.ok(parsed.success)
  const { edges } = parsed.data as z.output<typeof edgeListSchema>
  assert.deepEqual(edges[0]?.problems, edgeListSchema.parse(data).edges[0]?.problems)
})

test('a default is not shared between answers', () => {
  const problemsOf = () => {
    const parsed = parse(rows.readEdge.answer, { ...edge })
    return parsed.success ? (parsed.data as { problems: string[] }).problems : []
  }
  problemsOf().push('of this edge only')
  assert.deepEqual(problemsOf(), [])
})

test('what is missing, of another kind or unknown is refused with its place, as by the schema', () => {
  const wrong: [unknown, string][] = [
    [{ edges: [edge, { ...edge, id: 1 }] }, 'edges.1.id'],
    [{ edges: [{ ...edge, region: undefined }] }, 'edges.0.region'],
    [{ edges: [{ ...edge, state: 'asleep' }] }, 'edges.0.state'],
    [
      { edges: [{ ...edge, connections: { cached: 1.5, active: 2, clients: 3 } }] },
      'edges.0.connections.cached',
    ],
    [{ edges: [{ ...edge, config: null }] }, 'edges.0.config'],
    [{ edges: [{ ...edge, degraded: {} }] }, 'edges.0.degraded'],
    [{ edges: [{ ...edge, clockSkewMs: 'late' }] }, 'edges.0.clockSkewMs'],
    [{ edges: {} }, 'edges'],
    [[], ''],
    [null, ''],
  ]
  for (const [data, place] of wrong) {
    assert.equal(faultOf(rows.listEdges.answer, data), place, JSON.stringify(data))
    assert.equal(edgeListSchema.safeParse(data).success, false, JSON.stringify(data))
  }
})

test('one of several kinds, records and any JSON are checked', () => {
  assert.equal(
    faultOf(rows.readEdge.answer, { ...edge, config: { ...edge.config, rejected: 3 } }),
    'config.rejected',
  )
  const entry = { id: 1, at: '', actor: 'ann', action: 'a', target: 't', before: { deep: [1, { x: null }] } }
  assert.equal(
    faultOf(rows.listAudit.answer, { entries: [{ ...entry, after: null }], next: null }),
    undefined,
  )
  assert.equal(faultOf(rows.listAudit.answer, { entries: [entry], next: null }), 'entries.0.after')
  const record = parserOf({ type: 'object', additionalProperties: { type: 'integer' } }, {})
  assert.equal(record.safeParse({ a: 1, b: 2 }).success, true)
  assert.equal(record.safeParse({ a: 1, b: '2' }).success, false)
})

test('refusals and results of orders are checked by their kind', () => {
  assert.equal(faultOf(problem, { type: 'x', title: 't', status: 400, code: 'bad' }), undefined)
  assert.equal(problemDetailsSchema.safeParse({ type: 'x', title: 't', status: 400 }).success, false)
  assert.equal(faultOf(problem, { type: 'x', title: 't', status: 400 }), 'code')
  assert.equal(faultOf(results['kick-user'], { sessions: 1 }), undefined)
  assert.equal(faultOf(results['kick-user'], { connections: 1 }), 'sessions')
  assert.equal(faultOf(results.who, [{ user: 'joe' }]), '0.upstream')
})

test('the answers of an order are told apart by their status', () => {
  const order = {
    ...{ id: 'd0ff0c6e-bd5c-4b5c-8f38-5ae7d5a2a52b', givenBy: 'ann', at: '2026-11-28T10:00:00.000Z' },
    ...{ target: { kind: 'all' }, action: { kind: 'version' }, finishedAt: null, next: null },
    counts: { answered: 1, failed: 0, silent: 1 },
  }
  const answered = { id: 'a', region: 'eu', status: 'answered', reason: null, result: { version: '1' } }
  const silent = { id: 'b', region: 'eu', status: 'silent', reason: 'no answer', result: null }
  const good = { ...order, edges: [answered, silent] }
  const bad = { ...order, edges: [{ ...silent, reason: null }] }
  assert.equal(orderViewSchema.safeParse(good).success, true)
  assert.equal(faultOf(rows.readOrder.answer, good), undefined)
  assert.equal(orderViewSchema.safeParse(bad).success, false)
  assert.equal(faultOf(rows.readOrder.answer, bad), 'edges.0')
})
