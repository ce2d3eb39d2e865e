/** An edge that is cut off from the fleet goes on serving mail; what it missed it makes up for before anything else. */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { edgeProxy, layGround, type Edge } from '@imapfleet/local'
import type { EdgeView, RevisionStatus, RevocationStatus } from '@imapfleet/protocol'
import { Fleet } from '../support/fleet.ts'
import { Relay } from '../support/relay.ts'
import { until } from '../support/until.ts'

suite('an edge cut off from the fleet', () => {
  let fleet: Fleet
  let relay: Relay
  let edge: Edge
  before(async () => {
    fleet = await Fleet.start()
    const { directory, nats, upstream } = fleet.stack
    relay = await Relay.to(Number(new URL(nats.url).port))
    edge = await edgeProxy({
      ground: layGround(directory),
      id: 'far-1',
      region: 'far',
      upstream,
      nats: { ...nats, url: `nats://127.0.0.1:${relay.port}` },
      config: { fleet: { heartbeatMs: 200, reportIntervalMs: 250, reconcileMs: 60_000 } },
    })
    await edge.process.start()
    await until('the edge', async () => (await stateOf()) === 'serving')
  })
  after(async () => {
    await edge?.process.stop()
    relay?.close()
    await fleet?.stop()
  })

  const stateOf = async () => ((await fleet.api('/v1/edges/far-1')).body as EdgeView).state
  const isReused = async () => (await fleet.session(edge, fleet.alice)).join('\n').includes('XPROXYREUSE')

  test('what was revoked meanwhile is dropped before a warm connection is handed out again', async () => {
    await isReused()
    assert.ok(await isReused())
    relay.cut()
    await until('its silence', async () => (await stateOf()) === 'silent')
    const { body } = await fleet.api('/v1/revocations', {
      method: 'POST',
      body: { kind: 'user', subject: fleet.alice.user },
    })
    const { revocation, edges } = body as RevocationStatus
    assert.equal(edges.find(({ id }) => id === 'far-1')?.status, 'silent')
    assert.ok(await isReused(), 'it goes on with what it has')

    relay.heal()
    await until('it to be back', async () => (await stateOf()) === 'serving')
    assert.ok(!(await isReused()))
    assert.ok(await isReused(), 'what was made after the revocation is good')
    const now = (await fleet.api(`/v1/revocations/${revocation.sequence}`)).body as RevocationStatus
    assert.equal(now.edges.find(({ id }) => id === 'far-1')?.status, 'applied')
  })

  test('a configuration that it missed it runs as soon as it is back', async () => {
    relay.cut()
    await until('its silence', async () => (await stateOf()) === 'silent')
    const change = { layer: { kind: 'region', name: 'far' }, set: { 'pool.usesMax': 7 } }
    const { body } = await fleet.api('/v1/config/revisions', { method: 'POST', body: change })
    const { revision } = (body as RevisionStatus).revision
    relay.heal()
    const status = async () => {
      const answer = await fleet.api(`/v1/config/revisions/${revision}`)
      return (answer.body as RevisionStatus).edges[0]?.status
    }
    await until('it applied', async () => (await status()) === 'applied')
  })

  test('a drain reaches it, lets its sessions end, and is ended by a resume', async () => {
    const client = await fleet.client(edge)
    assert.equal((await client.command(`LOGIN ${fleet.bob.user} ${fleet.bob.password}`)).status, 'OK')
    const target = { kind: 'edge', name: 'far-1' }
    await fleet.api('/v1/edges/drain', { method: 'POST', body: { target } })
    const draining = await until('it draining', async () => {
      const view = (await fleet.api('/v1/edges/far-1')).body as EdgeView
      return view.state === 'draining' && view
    })
    assert.equal(draining.connections.clients, 1)
    assert.equal((await client.command('NOOP')).status, 'OK')
    await client.command('LOGOUT')
    await until('the last session', async () => {
      const view = (await fleet.api('/v1/edges/far-1')).body as EdgeView
      return view.connections.clients === 0
    })
    await fleet.api('/v1/edges/resume', { method: 'POST', body: { target } })
    await until('it serving', async () => (await stateOf()) === 'serving')
    assert.equal(await isReused(), true)
  })
})
