/** Histories from a real Postgres, over reports, rollups and the border between them. */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { testDeps, type TestDeps } from '../../deps.test-support.ts'
import { withLease } from '../../platform/ticks/leases.ts'
import { noLimits } from '../../platform/access.ts'
import { insertReports, packReport, type PlacedReport } from './ingest-queries.ts'
import { makePartitions } from './partitions.ts'
import { rollUp } from './roll-up.ts'
import { Series } from './series.ts'
import { readHistory } from './service.ts'

const secondMs = 1_000
const minuteMs = 60_000
const hourMs = 3_600_000
/** Sessions per second of each edge: what one edge counts in 10 s is no whole number of events in any part of it. */
const perSecond = 39.7
const edges = ['eu-1', 'eu-2', 'us-1'] as const
const total = perSecond * edges.length

suite('histories of a fleet at a steady rate', () => {
  let deps: TestDeps
  let series: Series
  /** The edges have run since then. */
  const began = Math.floor(Date.now() / hourMs) * hourMs - 2 * hourMs
  /** Until which moment each edge has reported. */
  const reported = new Map<string, number>()

  before(async () => {
    deps = await testDeps()
    series = new Series(deps.db)
    await withLease(deps, 'partitions', async (lease) => await makePartitions(deps, lease))
    await deps.db.sql`update fleet set reports_since = to_timestamp(${began / 1000})`
  })
  after(async () => await deps?.db.close())

  const boots = new Map(edges.map((edge) => [edge, { boot: randomUUID(), sequence: 0 }]))

  const store = async (reports: readonly PlacedReport[]) =>
    await insertReports(
      deps.db,
      series,
      reports.map((report) => packReport(series, report)),
    )

  /** Each edge reports about every 10 s, in its own phase, with a timer that is never exact. */
  async function runUntil(now: number): Promise<void> {
    const reports: PlacedReport[] = []
    for (const [index, edge] of edges.entries()) {
      let at = reported.get(edge) ?? began + index * 3_217
      const boot = boots.get(edge)!
      for (;;) {
        const next = at + 10_000 + ((boot.sequence * 7_919) % 61)
        if (next > now) break
        at = next
        boot.sequence++
        const counted = Math.floor(((at - began) / secondMs) * perSecond)
        reports.push({
          v: 1,
          edge,
          region: edge.slice(0, 2),
          boot: boot.boot,
          at,
          startedAt: began,
          sequence: boot.sequence,
          counters: { 'sessions_total{ending="logout"}': counted },
          gauges: { clients_connected: 12 },
          histograms: { login_seconds: { sum: counted * 0.001, counts: { '80': counted } } },
          isMoved: false,
        })
      }
      reported.set(edge, at)
    }
    for (let done = 0; done < reports.length; done += 500) await store(reports.slice(done, done + 500))
    deps.setNow(now)
  }

  const rollAll = async () => {
    for (;;) {
      await withLease(deps, 'rollups', async (lease) => await rollUp(deps, lease))
      const [row] = await deps.db.sql<{ due: number }[]>`
        select count(*)::int as due from history_due
        where resolution = '1m' and at < to_timestamp(${(deps.now() - 2 * minuteMs - 6_000) / 1000})
          or resolution = '1h' and at < to_timestamp(${(deps.now() - hourMs - 3 * minuteMs) / 1000})`
      if (row?.due === 0) return
    }
  }

  const metrics =
    'sessions_total:rate,sessions_total,login_seconds:count,clients_connected,login_seconds:p95,sessions_total{ending="logout"}:rate'
  const ask = async (step: number, from: number, groupBy: 'fleet' | 'region' | 'edge' = 'fleet') =>
    await readHistory(deps, noLimits, {
      metrics,
      groupBy,
      from: new Date(from).toISOString(),
      step: `${step / secondMs}s`,
    })

  /** Every step of every group has the rate; none is empty, doubled, or cut short. */
  async function assertSteady(
    step: number,
    from: number,
    groupBy: 'fleet' | 'region' | 'edge',
  ): Promise<void> {
    const { groups, to, from: first } = await ask(step, from, groupBy)
    const counts = { fleet: ['fleet'], region: ['eu', 'us'], edge: [...edges] }
    assert.deepEqual(
      groups.map(({ group }) => group),
      counts[groupBy],
    )
    for (const { group, values, totals } of groups) {
      const sources = group === 'fleet' ? 3 : group === 'eu' ? 2 : 1
      const expected = perSecond * sources
      const tolerance = (2 * sources) / (step / secondMs)
      const start = Date.parse(first)
      const [rates, increases, logins, gauges, percentiles, labelled] = values as number[][]
      assert.ok(rates!.length > 0, 'no step')
      for (const [index, rate] of rates!.entries()) {
        const what = `${group}, step ${index} of ${rates!.length} at ${step} ms until ${to}`
        // The last step ends with the reports.
        const seconds = Math.min(step, Date.parse(to) - start - index * step) / secondMs
        assert.ok(
          typeof rate === 'number' && Math.abs(rate - expected) <= (2 * sources) / seconds,
          `${what}: ${rate} instead of ${expected}`,
        )
        assert.equal(labelled![index], rate)
        assert.equal(increases![index], Math.round(rate * seconds), what)
        assert.ok(Math.abs(logins![index]! - increases![index]) <= 2 * sources, what)
        // Gauges are known when an edge reports, which may not be within a step that is cut short.
        if (seconds * secondMs === step) assert.equal(gauges![index], 12 * sources, what)
        assert.equal(percentiles![index], percentiles![0], what)
      }
      const sum = increases!.reduce((all, value) => all + value, 0)
      assert.equal(totals[1], sum)
      assert.ok(Math.abs(totals[0]! - sum / ((Date.parse(to) - Date.parse(first)) / secondMs)) < 1e-9)
      assert.ok(Math.abs(totals[0]! - expected) <= tolerance)
    }
  }

  test('every step has that rate, whatever the phase of reports, the step, the grouping and the moment of the query', async () => {
    const random = fc.sample(
      fc.record({
        pause: fc.integer({ min: 1, max: 70_000 }),
        step: fc.constantFrom(10, 15, 20, 30, 60, 120, 300),
        back: fc.integer({ min: 5, max: 40 }),
        groupBy: fc.constantFrom('fleet' as const, 'region' as const, 'edge' as const),
        rolls: fc.boolean(),
      }),
      { seed: 20_261_212, numRuns: 60 },
    )
    let now = began + 25 * minuteMs
    for (const { pause, step, back, groupBy, rolls } of random) {
      now += pause
      await runUntil(now)
      if (rolls) await rollAll()
      const stepMs = step * secondMs
      // Not before each edge has reported for the first time.
      const from = Math.max(began + 10 * minuteMs, now - back * stepMs)
      await assertSteady(stepMs, Math.floor(from / stepMs) * stepMs, groupBy)
    }
  })

  test('an answer ends where the reports of all edges end', async () => {
    const now = deps.now()
    const settled = Math.min(...reported.values())
    const { to, groups } = await ask(10 * secondMs, now - 10 * minuteMs, 'edge')
    const end = Date.parse(to)
    assert.ok(end <= settled && end > settled - secondMs, `${to}, settled ${new Date(settled).toISOString()}`)
    for (const { values } of groups) assert.ok(values.slice(0, 3).every((each) => each.at(-1) !== null))
  })

  test('the hours add up to the minutes', async () => {
    await runUntil(began + 2 * hourMs + 3 * minuteMs)
    await rollAll()
    const question = {
      groupBy: 'fleet' as const,
      from: new Date(began).toISOString(),
      to: new Date(began + 2 * hourMs).toISOString(),
    }
    const hours = await readHistory(deps, noLimits, { ...question, metrics: 'sessions_total', step: '1h' })
    const minutes = await readHistory(deps, noLimits, { ...question, metrics: 'sessions_total', step: '1m' })
    assert.equal(hours.groups[0]?.totals[0], minutes.groups[0]?.totals[0])
    assert.ok(Math.abs(hours.groups[0]!.values[0]![1]! - total * 3_600) <= 6)
  })

  test('a late report changes the minutes it reaches into, also if they are rolled up', async () => {
    const edge = 'us-1'
    const boot = randomUUID()
    const startedAt = began + 30 * minuteMs
    const lateAt = startedAt + 70_000
    const report = (sequence: number, at: number, counted: number): PlacedReport => ({
      v: 1,
      edge: 'us-2',
      region: 'us',
      boot,
      at,
      startedAt,
      sequence,
      counters: { 'sessions_total{ending="logout"}': counted },
      gauges: {},
      histograms: {},
      isMoved: false,
    })
    await store([report(1, startedAt + 40_000, 0), report(3, lateAt + 30_000, 900)])
    await rollAll()
    await store([report(2, lateAt, 300)])
    await rollAll()
    const { groups } = await readHistory(deps, noLimits, {
      metrics: 'sessions_total',
      groupBy: 'edge',
      edge: 'us-2',
      from: new Date(startedAt).toISOString(),
      to: new Date(startedAt + 2 * minuteMs).toISOString(),
      step: '1m',
    })
    // 300 in the 30 s from 0:40 to 1:10, 600 in the 30 s after.
    assert.deepEqual(groups[0]?.values, [[200, 700]], edge)
  })

  test('if ingest is late, the step that is cut short has that rate too, although its minute is rolled up', async () => {
    const now = began + 2 * hourMs + 20 * minuteMs + 50_000
    await runUntil(now)
    // One edge has reported less than the others.
    const held = now - 25_000
    await deps.db.sql`delete from reports where edge = 'eu-2' and at > to_timestamp(${held / 1000})`
    deps.setNow(now + 100_000)
    await rollAll()
    for (const groupBy of ['fleet', 'region', 'edge'] as const)
      for (const step of [minuteMs, hourMs]) {
        const from = Math.floor((now - 10 * minuteMs) / step) * step
        const { groups, to } = await ask(step, from, groupBy)
        assert.notEqual(Date.parse(to) % minuteMs, 0)
        for (const { group, values } of groups) {
          const sources = group === 'fleet' ? 3 : group === 'eu' ? 2 : 1
          const rate = values[0]!.at(-1)!
          const seconds = Math.min(step, (Date.parse(to) - from) % step || step) / secondMs
          assert.ok(
            Math.abs(rate - perSecond * sources) <= (3 * sources) / seconds,
            `${group} at ${step}: ${rate} until ${to}`,
          )
        }
      }
  })

  test('after an hour without reports nothing is awaited: the steps are gaps', async () => {
    deps.setNow(began + 4 * hourMs)
    const { to, groups } = await ask(minuteMs, deps.now() - 10 * minuteMs)
    assert.equal(Date.parse(to), deps.now())
    assert.ok(groups[0]!.values[0]!.every((value) => value === null))
  })
})
