/** An edge that is cut off from the fleet continues to serve mail, and first applies what it missed when it is back. */
import assert from 'node:assert/strict'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import type { EdgeProcess } from '@imapfleet/local'
import type { EdgeView, RevisionStatus, RevocationStatus } from '@imapfleet/api'
import { DistantEdge } from '../support/distant-edge.ts'
import { TestFleet } from '../support/fleet.ts'
import type { Relay } from '../support/relay.ts'
import { until } from '../support/until.ts'

suite('an edge cut off from the fleet', () => {
  let fleet: TestFleet
  let distant: DistantEdge
  let edge: EdgeProcess
  let relay: Relay
  before(async () => {
    fleet = await TestFleet.start()
    distant = await DistantEdge.start(fleet, { reconcileMs: 60_000 })
    edge = distant.edge
    relay = distant.relay
  })
  after(async () => {
    await distant?.stop()
    await fleet?.stop()
  })

  const isReused = async () => (await fleet.session(edge, fleet.alice)).join('\n').includes('XPROXYREUSE')

  test('connections that were revoked in the meantime are dropped before an idle connection is leased again', async () => {
    await isReused()
    assert.ok(await isReused())
    relay.cut()
    await distant.away()
    const { body } = await fleet.api('/v1/revocations', {
      method: 'POST',
      body: { kind: 'user', subject: fleet.alice.user },
    })
    const { revocation, edges } = body as RevocationStatus
    assert.equal(edges.find(({ id }) => id === 'far-1')?.status, 'silent')
    assert.ok(await isReused(), 'it continues with what it has')

    relay.heal()
    await distant.back()
    assert.ok(!(await isReused()))
    assert.ok(await isReused(), 'what was made after the revocation is good')
    // Its next heartbeat reports it.
    await until('it applied', async () => {
      const now = (await fleet.api(`/v1/revocations/${revocation.sequence}`)).body as RevocationStatus
      return now.edges.find(({ id }) => id === 'far-1')?.status === 'applied'
    })
  })

  test('an edge that was forgotten in the meantime has missed nothing either, and is in the fleet again', async () => {
    await isReused()
    assert.ok(await isReused())
    relay.cut()
    await distant.away()
    const forgotten = await fleet.cli('edges', 'forget', 'far-1', '--yes')
    assert.equal(forgotten.status, 0, forgotten.stderr)
    await fleet.api('/v1/revocations', { method: 'POST', body: { kind: 'user', subject: fleet.alice.user } })
    assert.ok(await isReused(), 'it continues with what it has')

    const isListed = async () => (await fleet.cli('edges')).stdout.includes('far-1')
    assert.equal(await isListed(), false)
    relay.heal()
    await until('it to be listed', isListed)
    assert.ok(!(await isReused()))
    assert.ok(await isReused(), 'what was made after the revocation is good')
  })

  test('it applies a configuration that it missed as soon as it is back', async () => {
    relay.cut()
    await distant.away()
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

  test('it drains when it is back, lets sessions end, and a resume ends the drain', async () => {
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
    await distant.back()
    assert.equal(await isReused(), true)
  })

  test('a revoked edge continues to serve mail, says why it is disconnected, and comes back with a new credential', async () => {
    const said = await fleet.cli('edges', 'revoke', 'far-1', '--yes')
    assert.deepEqual([said.status, said.stderr], [0, ''])
    const health = async () =>
      (await (await fetch(`http://127.0.0.1:${edge.httpPort}/healthz`)).json()) as {
        fleet: { connected: boolean; reason?: string }
      }
    const { fleet: away } = await until('it away', async () => {
      const now = await health()
      return !now.fleet.connected && now
    })
    assert.match(
      away.reason ?? '',
      /^NATS refuses this edge \(User Authentication Revoked\): its credential was revoked/,
    )
    assert.match(away.reason ?? '', /imapfleet edges enroll far-1 --region far/)
    assert.equal((await fetch(`http://127.0.0.1:${edge.httpPort}/readyz`)).status, 200)
    assert.ok(await isReused(), 'mail continues')
    assert.match((await fleet.cli('edges', '--region', 'far')).stdout, /its credential is revoked/)

    const out = join(fleet.stack.directory, 'new.creds')
    const made = await fleet.cli('edges', 'enroll', 'far-1', '--region', 'far', '--out', out)
    assert.equal(made.status, 0, made.stderr)
    assert.doesNotMatch(made.stdout, /SEED|eyJ/)
    assert.equal((await stat(out)).mode & 0o777, 0o600)
    const again = await fleet.cli('edges', 'enroll', 'far-1', '--region', 'far', '--out', out)
    assert.deepEqual([again.status, /the file exists/.test(again.stderr)], [2, true])
    const { fleet: section } = JSON.parse(await readFile(edge.configFile, 'utf8')) as {
      fleet: { credentialsFile: string }
    }
    await writeFile(section.credentialsFile, await readFile(out))
    await edge.process.stop()
    await edge.process.start()
    await distant.back()
    assert.deepEqual((await health()).fleet, { connected: true, refused: [] })
  })
})
