/** Mail flows while control and NATS are down. When they are up again, every report is in Postgres once. */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { edgeProxy, enrollByApi, layGround } from '@imapfleet/local'
import postgres from 'postgres'
import { TestFleet } from '../support/fleet.ts'
import { until } from '../support/until.ts'

suite('outage', () => {
  let fleet: TestFleet
  let sql: postgres.Sql
  before(async () => {
    fleet = await TestFleet.start()
    sql = postgres(fleet.stack.postgres.url, { max: 1, fetch_types: false, onnotice: () => undefined })
  })
  after(async () => {
    await sql?.end()
    await fleet?.stop()
  })

  /** Numbers in Postgres for each edge. */
  const stored = () => sql<{ edge: string; boots: number; first: number; last: number }[]>`
    select edge, count(distinct boot)::int as boots, min(sequence)::int as first, max(sequence)::int as last
    from reports group by edge order by edge`

  /** Number of reports of each edge in this period, according to Postgres. */
  const madeBetween = async (from: number, to: number) => {
    const rows = await sql<{ edge: string; rows: number }[]>`
      select edge, count(*)::int as rows from reports
      where at > ${new Date(from).toISOString()} and at < ${new Date(to).toISOString()} group by edge order by edge`
    return rows.map((each) => each.rows)
  }

  const isGrowingFrom = async (last: number) => (await stored()).every((each) => each.last > last)

  test('kill -9 of control and nats-server disturbs no session, and each report is stored once', async () => {
    const { control, nats } = fleet.stack
    const held = await fleet.client(fleet.eu)
    await held.command(`LOGIN ${fleet.bob.user} ${fleet.bob.password}`)
    await held.command('SELECT INBOX')
    const mailFlows = async (during: string) => {
      assert.equal((await held.command('NOOP')).status, 'OK', `the session held open ${during}`)
      for (const edge of [fleet.eu, fleet.us]) await fleet.session(edge, fleet.alice)
    }
    await fleet.warm(fleet.alice)
    await until('first reports', async () => (await stored()).length === 2 && isGrowingFrom(2))

    const outage = async (without: string, end: () => Promise<void>) => {
      const from = Date.now()
      await mailFlows(`without ${without}`)
      const logins = await fleet.loginsAtServer(fleet.alice)
      // Long enough for several reports.
      await until('the outage to last', async () => {
        await mailFlows(`still without ${without}`)
        return Date.now() - from > 1_500
      })
      assert.equal(
        await fleet.loginsAtServer(fleet.alice),
        logins,
        `idle connections are used without ${without}`,
      )
      const to = Date.now()
      await end()
      await mailFlows(`after ${without} is back`)
      await until(`the reports of the time without ${without}`, async () => {
        const made = await madeBetween(from, to)
        return made.length === 2 && made.every((rows) => rows >= 3)
      })
    }
    await control.process.kill()
    await outage('control', () => control.process.start())
    await nats.process?.kill()
    await outage('NATS', async () => nats.process?.start())

    // A repeated report may arrive after later ones, so wait for it. A lost one would never arrive.
    const latest = Math.min(...(await stored()).map((each) => each.last)) + 8
    await until(`every report up to ${latest} of both edges`, async () => {
      const complete = await sql<{ edge: string }[]>`
        select edge from reports where sequence <= ${latest}
        group by edge having count(*) = ${latest} and count(distinct sequence) = ${latest}`
      return complete.length === 2
    })
    for (const { edge, boots, first } of await stored())
      assert.deepEqual({ edge, boots, first }, { edge, boots: 1, first: 1 }, 'no edge was started again')
    await held.command('LOGOUT')
  })

  test('an edge that is up before control is known as soon as control is up, not only after its next heartbeat', async () => {
    const { control, directory, nats, token, upstream } = fleet.stack
    const ground = layGround(directory)
    const name = { id: 'early-1', region: 'eu' }
    const credentialsFile = await enrollByApi({ ground, nats, control, token }, name)
    await control.process.kill()
    const config = { fleet: { heartbeatMs: 600_000, reconcileMs: 600_000 } }
    const early = await edgeProxy({ ground, ...name, upstream, nats, credentialsFile, config })
    await early.process.start()
    try {
      await until('its link to NATS', async () => {
        const answer = await fetch(`http://127.0.0.1:${early.httpPort}/healthz`)
        return ((await answer.json()) as { fleet: { connected: boolean } }).fleet.connected
      })
      await control.process.start()
      await until('control to hear of it', async () => (await fleet.api('/v1/edges/early-1')).status === 200)
    } finally {
      await early.process.stop()
    }
  })
})
