/** Revocations and drains: they are in the entry of an edge until the edge has applied them. */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import type { EdgeView, RevocationStatus } from '@imapfleet/api'
import { Plane } from '../support/plane.ts'
import type { SimulatedEdge } from '../support/simulated-edge.ts'
import { until } from '../support/until.ts'

suite('revocations and drains', () => {
  let plane: Plane
  let eu: SimulatedEdge
  let us: SimulatedEdge
  before(async () => {
    plane = await Plane.start()
    eu = await plane.edge('eu', 'eu-1')
    us = await plane.edge('us', 'us-1')
    for (const edge of [eu, us]) edge.beat({ heartbeatMs: 60_000 })
    await until(
      'both entries',
      async () => (await eu.desired()) !== undefined && (await us.desired()) !== undefined,
    )
  })
  after(() => plane?.stop())

  const revoke = async (body: Record<string, unknown>) => {
    const answer = await plane.api('/v1/revocations', { body })
    assert.equal(answer.status, 201)
    return (answer.body as RevocationStatus).revocation
  }
  const statusOf = async (sequence: number) => {
    const { body } = await plane.api(`/v1/revocations/${sequence}`)
    return Object.fromEntries((body as RevocationStatus).edges.map(({ id, status }) => [id, status]))
  }
  const told = async (edge: SimulatedEdge) =>
    (await edge.desired())?.revocations.map(({ kind, subject }) => [kind, subject])

  test('every edge gets a revocation, and reports that it has applied it', async () => {
    const user = await revoke({ kind: 'user', subject: 'ann@example.org', note: 'password changed' })
    const domain = await revoke({
      ...{ kind: 'domain', subject: '@Example.COM' },
      pace: { kind: 'at-once', reason: 'a test' },
    })
    assert.ok(domain.sequence > user.sequence)
    const both = [
      ['user', 'ann@example.org'],
      ['domain', 'example.com'],
    ]
    assert.deepEqual(await told(eu), both)
    assert.deepEqual(await told(us), both)
    assert.deepEqual(await statusOf(user.sequence), { 'eu-1': 'pending', 'us-1': 'pending' })

    eu.beat({ heartbeatMs: 60_000, revocations: user.sequence })
    await until('the first', async () => (await statusOf(user.sequence))['eu-1'] === 'applied')
    assert.deepEqual(await statusOf(domain.sequence), { 'eu-1': 'pending', 'us-1': 'pending' })
    eu.beat({ heartbeatMs: 60_000, revocations: domain.sequence })
    await until('the second', async () => (await statusOf(domain.sequence))['eu-1'] === 'applied')
    // An applied revocation leaves the entry. The other edge has not applied it yet.
    await until('an empty list', async () => (await told(eu))?.length === 0)
    assert.deepEqual(await told(us), both)
  })

  test('what is not a domain is refused, with the reason', async () => {
    for (const subject of ['a b', 'ann@example.org', '@', '@@example.org', 'example.org\nexample.net']) {
      const { status, body } = await plane.api('/v1/revocations', { body: { kind: 'domain', subject } })
      assert.equal(status, 400, subject)
      assert.match(JSON.stringify(body), /subject.*must be a domain such as example\.org/)
    }
  })

  test('revocations stay applied when an edge restarts, because it has no old connections then', async () => {
    const { sequence } = await revoke({ kind: 'user', subject: 'bob' })
    us.beat({ heartbeatMs: 60_000, revocations: sequence })
    await until('it applied', async () => (await statusOf(sequence))['us-1'] === 'applied')
    us.restart()
    us.beat({ heartbeatMs: 60_000, revocations: 0, version: 'started again' })
    await until(
      'the new boot',
      async () => ((await plane.api('/v1/edges/us-1')).body as EdgeView).version === 'started again',
    )
    assert.equal((await statusOf(sequence))['us-1'], 'applied')
  })

  test('an edge that reports a sequence that was never issued gets all that it has not applied', async () => {
    eu.beat({ heartbeatMs: 60_000, revocations: Number.MAX_SAFE_INTEGER, version: 'boasting' })
    await until(
      'the claim',
      async () => ((await plane.api('/v1/edges/eu-1')).body as EdgeView).version === 'boasting',
    )
    const { sequence } = await revoke({ kind: 'user', subject: 'carol' })
    assert.equal((await statusOf(sequence))['eu-1'], 'pending')
    assert.deepEqual(await told(eu), [
      ['user', 'bob'],
      ['user', 'carol'],
    ])
  })

  test('the audit log says who revoked which user, and why', async () => {
    const [row] =
      await plane.sql`select * from audit where action = 'revoke.user' and target = 'ann@example.org'`
    assert.deepEqual([row?.['actor'], row?.['after'].note], ['tests', 'password changed'])
    const { body } = await plane.api('/v1/revocations?limit=2')
    const { revocations, next } = body as {
      revocations: { subject: string; sequence: number }[]
      next: number
    }
    assert.deepEqual(
      revocations.map(({ subject }) => subject),
      ['carol', 'bob'],
    )
    assert.equal(next, revocations[1]?.sequence)
  })

  test('a drain affects only its targets, survives a restart of the edge, and ends with a resume', async () => {
    const drained = await plane.api('/v1/edges/drain', { body: { target: { kind: 'region', name: 'eu' } } })
    assert.deepEqual(
      (drained.body as { edges: EdgeView[] }).edges.map(({ id, drain }) => [id, drain]),
      [['eu-1', true]],
    )
    assert.deepEqual([(await eu.desired())?.drain, (await us.desired())?.drain], [true, false])
    eu.restart()
    eu.beat({ heartbeatMs: 60_000, state: 'draining', gauges: { clients_connected: 3 } })
    const shown = await until('it draining', async () => {
      const view = (await plane.api('/v1/edges/eu-1')).body as EdgeView
      return view.state === 'draining' && view
    })
    assert.deepEqual([shown.drain, shown.connections.clients], [true, 3])
    assert.equal((await eu.desired())?.drain, true)
    await plane.api('/v1/edges/resume', { body: { target: { kind: 'all' } } })
    assert.deepEqual([(await eu.desired())?.drain, (await us.desired())?.drain], [false, false])
    assert.equal(
      (await plane.api('/v1/edges/drain', { body: { target: { kind: 'edge', name: 'moon' } } })).status,
      404,
    )
  })
})
