/** A configuration change: one revision, for some edges only, in force without a restart. */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { freePort } from '@imapfleet/local'
import { configViewSchema, edgeListSchema, resolvedConfigSchema } from '@imapfleet/api'
import { TestFleet } from '../support/fleet.ts'
import { until } from '../support/until.ts'

suite('config', () => {
  let fleet: TestFleet
  before(async () => (fleet = await TestFleet.start()))
  after(() => fleet?.stop())

  const edges = async () => edgeListSchema.parse((await fleet.api('/v1/edges')).body).edges
  const config = async () => configViewSchema.parse((await fleet.api('/v1/config')).body)
  const resolved = async (edge: string) =>
    resolvedConfigSchema.parse((await fleet.api(`/v1/config/resolved?edge=${edge}`)).body)

  test('a change for a region is a revision that only its edges get, and both edges report what they run', async () => {
    const { revision } = await config()
    const said = await fleet.cli('config', 'set', 'pool.idleTimeoutMs', '60000', '--region', 'eu')
    assert.equal(said.status, 0, said.stderr)
    assert.match(said.stdout, /eu-1 +eu +applied/)
    assert.doesNotMatch(said.stdout, /us-1/)

    const changed = await config()
    assert.equal(changed.revision, revision + 1)
    assert.deepEqual(changed.layers['region/eu'], { pool: { idleTimeoutMs: 60_000 } })
    assert.deepEqual((await resolved('eu-1')).layer, { pool: { idleTimeoutMs: 60_000 } })
    assert.deepEqual((await resolved('us-1')).layer, {})
    const [eu, us] = await until('both edges to run what they should', async () => {
      const now = await edges()
      return now.every((edge) => edge.config.applied === edge.config.wanted && !edge.config.rejected) && now
    })
    assert.equal(eu?.config.applied, revision + 1)
    assert.equal(us?.config.applied, us?.config.wanted)
  })

  test('it takes effect without a restart, and only in that region', async () => {
    const boots = (await edges()).map(({ boot }) => boot)
    await fleet.warm(fleet.alice)
    const said = await fleet.cli('config', 'set', 'pool.idleTimeoutMs', '1000', '--region', 'eu')
    assert.equal(said.status, 0, said.stderr)
    await fleet.session(fleet.eu, fleet.alice)
    await fleet.session(fleet.us, fleet.alice)
    await until('the idle connection at eu-1 to expire', async () => {
      // From the edge itself, because the last heartbeat may be from before the session.
      const answer = await fetch(`http://127.0.0.1:${fleet.eu.httpPort}/stats`)
      const { counters, gauges } = (await answer.json()) as Record<string, Record<string, number>>
      return counters!['upstream_drops_total{reason="idle-timeout"}']! > 0 && gauges!['upstreams_idle'] === 0
    })
    const logins = await fleet.loginsAtServer(fleet.alice)
    assert.equal((await fleet.session(fleet.eu, fleet.alice)).join('').includes('XPROXYREUSE'), false)
    assert.equal((await fleet.session(fleet.us, fleet.alice)).join('').includes('XPROXYREUSE'), true)
    assert.equal(await fleet.loginsAtServer(fleet.alice), logins + 1)
    assert.deepEqual(
      (await edges()).map(({ boot }) => boot),
      boots,
    )
  })

  test('a key that needs a restart is reported until then, and in force after it; a port that is in use is refused', async () => {
    const edge = async () => (await edges()).find(({ id }) => id === 'us-1')
    const greets = async (port: number) => {
      const client = await fleet.client({ imapPort: port })
      await client.command('LOGOUT')
    }
    const set = async (port: number) =>
      await fleet.cli('config', 'set', 'listeners.imap.port', String(port), '--edge', 'us-1')
    const port = await freePort()
    const said = await set(port)
    assert.equal(said.status, 0, said.stderr)
    // The line `waiting` is missing if the edge has applied it already.
    assert.match(said.stderr, /^listeners\.imap\.port: takes effect when the edge restarts\n(waiting.*\n)?$/)
    await until('it to say so', async () =>
      (await edge())?.degraded.includes('restart it for listeners.imap.port'),
    )
    await greets(fleet.us.imapPort)
    await fleet.us.process.stop()
    await fleet.us.process.start()
    await greets(port)
    await until('it to be well', async () => {
      const now = await edge()
      return now?.config.applied === now?.config.wanted && now?.degraded.length === 0
    })

    await set(fleet.eu.imapPort)
    await fleet.us.process.stop()
    await fleet.us.process.start()
    await greets(fleet.us.imapPort)
    const refused = await until('its refusal', async () => (await edge())?.config.rejected ?? undefined)
    assert.match(refused.reason, new RegExp(`${fleet.eu.imapPort}`))
    const back = await fleet.cli('config', 'unset', 'listeners.imap.port', '--edge', 'us-1')
    assert.equal(back.status, 0, back.stderr)
  })

  test('a value out of bounds is refused with its key and the bound, and nothing changes', async () => {
    const unchanged = await config()
    const said = await fleet.cli('config', 'set', 'pool.idleTimeoutMs', '5', '--region', 'eu')
    assert.notEqual(said.status, 0)
    assert.match(said.stderr, /pool\.idleTimeoutMs must be at least 1000/)
    assert.doesNotMatch(said.stderr, /\n\s+at /)
    const answer = await fleet.api('/v1/config/revisions', {
      method: 'POST',
      body: { layer: { kind: 'region', name: 'eu' }, set: { 'pool.idleTimeoutMs': 5 } },
    })
    assert.equal(answer.status, 400)
    assert.deepEqual(await config(), unchanged)
  })

  test('an unknown key is refused with its name', async () => {
    const said = await fleet.cli('config', 'set', 'pool.idelTimeoutMs', '60000')
    assert.notEqual(said.status, 0)
    assert.match(said.stderr, /pool\.idelTimeoutMs/)
  })

  test('a change that is based on an old revision is refused', async () => {
    const { revision } = await config()
    const said = await fleet.cli('config', 'set', 'pool.usesMax', '5', '--base', String(revision - 1))
    assert.notEqual(said.status, 0)
    assert.equal((await config()).revision, revision)
  })
})
