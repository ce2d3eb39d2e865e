/** Counters of edges reach Postgres through JetStream, and API and CLI show exactly what happened. */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { edgeListSchema, historySchema } from '@imapfleet/api'
import { TestFleet } from '../support/fleet.ts'
import { until } from '../support/until.ts'

suite('reports', () => {
  let fleet: TestFleet
  before(async () => (fleet = await TestFleet.start()))
  after(() => fleet?.stop())

  const edges = async () => edgeListSchema.parse((await fleet.api('/v1/edges')).body).edges

  /** Increase of each metric since the fleet was started, by edge. */
  const history = async (metrics: string[]) => {
    const query = new URLSearchParams({ metrics: metrics.join(','), from: '-1h', to: 'now', groupBy: 'edge' })
    const { body } = await fleet.api(`/v1/stats/history?${query.toString()}`)
    const { groups } = historySchema.parse(body)
    return Object.fromEntries(groups.map(({ group, totals }) => [group, totals]))
  }

  test('both edges are listed with their cached and active connections', async () => {
    await fleet.session(fleet.eu, fleet.alice)
    await fleet.session(fleet.eu, fleet.bob)
    const holding = await fleet.client(fleet.us)
    await holding.command(`LOGIN ${fleet.carol.user} ${fleet.carol.password}`)

    const [eu, us] = await until('the connections in the list of edges', async () => {
      const [one, other] = await edges()
      return one?.connections.cached === 2 && other?.connections.active === 1 && ([one, other] as const)
    })
    assert.deepEqual([eu.id, eu.region, eu.state], ['eu-1', 'eu', 'serving'])
    assert.deepEqual(eu.connections, { cached: 2, active: 0, clients: 0 })
    assert.deepEqual([us.id, us.region, us.state], ['us-1', 'us', 'serving'])
    assert.deepEqual(us.connections, { cached: 0, active: 1, clients: 1 })

    const table = await fleet.cli('edges')
    assert.equal(table.status, 0, table.stderr)
    assert.match(table.stdout, /eu-1 +eu +serving/)
    assert.match(table.stdout, /us-1 +us +serving/)
    const json = await fleet.cli('edges', '--output', 'json')
    assert.deepEqual(
      edgeListSchema.parse(JSON.parse(json.stdout)).edges.map(({ id }) => id),
      ['eu-1', 'us-1'],
    )
    await holding.command('LOGOUT')
  })

  test('the history of logins and reuse equals what happened, for each edge', async () => {
    const asked = ['logins_total{result="ok"}', 'logins_total{result="refused"}', 'upstream_reuses_total']
    // The history has finished steps only.
    const stepsMs = 90_000
    const readFirst = async () => {
      const now = await history(asked)
      return now['eu-1']?.[0] === 2 && now['us-1']?.[0] === 1 && now
    }
    const first = await until('a first history', readFirst, stepsMs)
    for (let again = 0; again < 5; again++) await fleet.session(fleet.eu, fleet.alice)
    for (let again = 0; again < 3; again++) await fleet.session(fleet.us, fleet.carol)
    const wrong = await fleet.client(fleet.us)
    await wrong.command(`LOGIN ${fleet.carol.user} wrong`)
    await wrong.kill()

    const plus = (edge: string, ...added: number[]) =>
      added.map((value, at) => (first[edge]?.[at] ?? 0) + value)
    const expected = { 'eu-1': plus('eu-1', 5, 0, 5), 'us-1': plus('us-1', 3, 1, 3) }
    const readSecond = async () => {
      const now = await history(asked)
      return now['eu-1']?.[0] === expected['eu-1'][0] && now['us-1']?.[1] === expected['us-1'][1] && now
    }
    const seen = await until('the new logins in the history', readSecond, stepsMs)
    assert.deepEqual(seen, expected)

    const stats = await fleet.cli('stats', '--from', '-1h', '--group-by', 'edge')
    assert.equal(stats.status, 0, stats.stderr)
    assert.match(stats.stdout, /eu-1/)
    assert.match(stats.stdout, /us-1/)

    const loginsAt = async (upstream: string) => {
      const { stdout } = await fleet.cli(
        ...['stats', '--from', '-1h', '--upstream', upstream, '--output', 'json'],
      )
      const { groups } = historySchema.parse(JSON.parse(stdout))
      return groups[0]!.totals[0]
    }
    assert.equal(await loginsAt('main'), expected['eu-1'][0]! + expected['us-1'][0]!)
    assert.equal(await loginsAt('elsewhere'), 0)
  })
})
