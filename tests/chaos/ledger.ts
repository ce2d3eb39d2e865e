/** What must be true in the end, whatever was killed: sums of what clients did, and each report once. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { WireClient } from '../conformance/wire.ts'
import { until } from '../support/until.ts'
import { readEdgeStats } from './shown-state.ts'
import { trafficUsers, type ClientTraffic } from './client-traffic.ts'
import { patienceMs, witness, type ChaosFleet } from './chaos-fleet.ts'

const metrics = ['logins_total{result="ok"}', 'logins_total', 'upstream_reuses_total']

/**
 * After the traffic has stopped. Waits until control has received everything, then compares history, edges, mail server and
 * clients.
 */
export async function settle(world: ChaosFleet, traffic: ClientTraffic): Promise<void> {
  assert.deepEqual(traffic.disturbances, [], 'what disturbed mail sessions')
  const atServer = await loginsAtServer(world)
  for (const { id } of world.edges) {
    const logins = traffic.loginsAt(id)
    assert.ok(logins > 0, `no client logged in at ${id}`)
    const opened = trafficUsers([{ id }]).map(({ user }) => atServer.get(user) ?? 0)
    const expected = [logins, logins, logins - opened[0]! - opened[1]!]
    const { counters } = await readEdgeStats(world.edge(id))
    const own = ['logins_total{upstream="main",result="ok"}', 'upstream_reuses_total{upstream="main"}']
    assert.deepEqual(
      own.map((key) => counters[key] ?? 0),
      [expected[0], expected[2]],
      `logins and reuses at ${id}`,
    )
    await until(
      `${expected.join(', ')} in the history of ${id}`,
      async () => {
        const history = await world.ask((client) =>
          client.call('readHistory', {
            query: { metrics: metrics.join(','), from: '-1h', to: 'now', groupBy: 'edge', edge: id },
          }),
        )
        const seen = history.groups[0]?.totals ?? []
        if (seen.every((value, index) => value === expected[index])) return true
        throw new Error(`it has ${seen.join(', ')}`)
      },
      patienceMs,
    )
  }
  await eachReportOnce(world)
}

/** Every report that an edge numbered is stored, once. */
async function eachReportOnce(world: ChaosFleet): Promise<void> {
  await until(
    'empty outboxes',
    async () => {
      const stats = await Promise.all(world.edges.map(readEdgeStats))
      return stats.every(({ gauges }) => (gauges['outbox_reports'] ?? 0) <= 1)
    },
    patienceMs,
  )
  const highest = await world.sql<{ edge: string; boot: string; last: number }[]>`
    select edge, boot, max(sequence)::int as last from reports group by edge, boot`
  assert.equal(highest.length, world.edges.length, 'boots of edges')
  for (const { edge, boot, last } of highest)
    await until(
      `reports 1 to ${last} of ${edge}`,
      async () => {
        const [row] = await world.sql<{ rows: number; different: number }[]>`
          select count(*)::int as rows, count(distinct sequence)::int as different
          from reports where edge = ${edge} and boot = ${boot} and sequence <= ${last}`
        assert.ok(row)
        assert.equal(row.rows, row.different, `a report of ${edge} is stored twice`)
        return row.rows === last
      },
      patienceMs,
    )
}

/** Successful logins of each user at the mail server. */
async function loginsAtServer(world: ChaosFleet): Promise<Map<string, number>> {
  const read = async () => {
    const log = await readFile(world.dovecot.process.logFile, 'utf8')
    const counts = new Map<string, number>()
    for (const [, user] of log.matchAll(/ Login: user=<([^>]+)>/g))
      counts.set(user!, (counts.get(user!) ?? 0) + 1)
    return counts
  }
  const before = (await read()).get(witness.user) ?? 0
  const client = await WireClient.open(world.dovecot.port, 'witness', patienceMs)
  await client.response('a greeting')
  await client.command(`LOGIN ${witness.user} ${witness.password}`)
  await client.kill('close')
  return await until('the witness in the log', async () => {
    const counts = await read()
    return (counts.get(witness.user) ?? 0) > before && counts
  })
}
