/** Compares histories from Postgres with a slow and obvious computation over the actions of the edges. */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import type { History } from '@imapfleet/api'
import type { Report } from '@imapfleet/protocol'
import fc from 'fast-check'
import { Plane } from '../support/plane.ts'
import type { SimulatedEdge } from '../support/simulated-edge.ts'
import { until } from '../support/until.ts'

const stepMs = 10_000
const points = 30
const ok = 'logins_total{upstream="main",result="ok"}'

/** The actions of one edge: when it counted logins, reported and restarted, and which reports arrived. */
const edgeArbitrary = fc.record({
  logins: fc.array(fc.integer({ min: -60, max: 299 }), { maxLength: 60 }),
  reports: fc.uniqueArray(fc.integer({ min: -60, max: 299 }), { minLength: 5, maxLength: 60 }),
  lost: fc.uniqueArray(fc.integer({ min: 0, max: 59 }), { maxLength: 10 }),
  doubled: fc.uniqueArray(fc.integer({ min: 0, max: 59 }), { maxLength: 10 }),
  restarts: fc.uniqueArray(fc.integer({ min: -50, max: 299 }), { maxLength: 3 }),
})
type Story = ReturnType<(typeof edgeArbitrary)['generate']>['value']

suite('history', () => {
  let plane: Plane
  before(async () => (plane = await Plane.start()))
  after(() => plane?.stop())

  test('random histories with restarts and with lost, repeated and reordered reports: every group and step is right', async () => {
    const [first] = fc.sample(fc.array(edgeArbitrary, { minLength: 4, maxLength: 4 }), {
      seed: 20_261_122,
      numRuns: 1,
    })
    const from = Math.floor(Date.now() / stepMs) * stepMs - points * stepMs
    await plane.sql`update fleet set reports_since = ${new Date(from).toISOString()}`
    const expected = new Map<string, (number | null)[]>()
    const reports: { edge: SimulatedEdge; report: Report }[] = []
    for (const [index, story] of first!.entries()) {
      const region = index % 2 === 0 ? 'eu' : 'us'
      const edge = await plane.edge(region, `${region}-${index}`)
      expected.set(`${region}-${index}`, live(story, edge, from, reports))
    }
    // In a random order over all edges, which is the same in each run.
    const order = fc.sample(fc.integer(), { seed: 7, numRuns: reports.length })
    const shuffled = reports
      .map((report, index) => ({ ...report, place: order[index]! }))
      .toSorted((a, b) => a.place - b.place)
    for (const { edge, report } of shuffled) await edge.send(report)
    const different = new Set(reports.map(({ report }) => `${report.boot}/${report.sequence}`)).size
    await until('all reports', async () => {
      const [row] = await plane.sql<{ count: string }[]>`select count(*) from reports`
      return Number(row?.count) === different
    })
    await until('rollups of all minutes that are over', async () => {
      const [row] = await plane.sql<{ due: string }[]>`
        select count(*) as due from history_due where resolution = '1m' and at < now() - interval '125 s'`
      return row?.due === '0'
    })

    const range = `from=${new Date(from).toISOString()}&to=${new Date(from + points * stepMs).toISOString()}&step=10s`
    const ask = async (groupBy: string) => {
      const answer = await plane.api(
        `/v1/stats/history?metrics=logins_total,login_seconds:count,clients_connected:last&${range}&groupBy=${groupBy}`,
      )
      assert.equal(answer.status, 200, JSON.stringify(answer.body))
      // The answer ends where the reports of all edges end, which depends on how long this test has taken.
      const { groups, to } = answer.body as History
      const shown = (Date.parse(to) - from) / stepMs
      assert.ok(shown >= points - 7, `${shown} of ${points} steps are shown`)
      return groups
    }
    for (const { group, values, totals } of await ask('edge')) {
      const shown = expected.get(group)!.slice(0, values[0]!.length)
      assert.deepEqual(values[0], shown, group)
      assert.deepEqual(values[1], shown, group)
      assert.equal(totals[0], total(shown), group)
    }
    for (const { group, values } of await ask('region')) {
      const its = [...expected].filter(([id]) => id.startsWith(group)).map(([, steps]) => steps)
      assert.deepEqual(values[0], added(its).slice(0, values[0]!.length), group)
    }
    const fleet = (await ask('fleet'))[0]!.values[0]!
    assert.deepEqual(fleet, added([...expected.values()]).slice(0, fleet.length))
  })

  test('gauges are averaged within a step, unless another function is requested', async () => {
    const edge = await plane.edge('asia', 'asia-1')
    const from = Math.floor(Date.now() / stepMs) * stepMs - 10 * stepMs
    for (const [offset, value] of [
      [0, 4],
      [3, 8],
      [12, 1],
    ] as const)
      await edge.send(edge.report({ gauges: { upstreams_idle: value } }, from + offset * 1000))
    // Another edge reports now: this one is silent, and nothing is awaited from it.
    const other = await plane.edge('asia', 'asia-2')
    await other.send(other.report({}))
    const range = `from=${new Date(from).toISOString()}&to=${new Date(from + 3 * stepMs).toISOString()}&step=10s`
    const metrics = ['', ':last', ':max', ':min'].map((suffix) => `upstreams_idle${suffix}`).join(',')
    // Two batches may be stored at the same time, in any order.
    await until('the reports', async () => {
      const [row] = await plane.sql<{ count: string }[]>`select count(*) from reports where region = 'asia'`
      return row?.count === '4'
    })
    const { body } = await plane.api(`/v1/stats/history?metrics=${metrics}&${range}&groupBy=edge&edge=asia-1`)
    const [group] = (body as History).groups
    assert.deepEqual(group?.values, [
      [6, 1, null],
      [8, 1, null],
      [8, 1, null],
      [4, 1, null],
    ])
  })

  test('an impossible query is refused with a sentence that says what to ask instead', async () => {
    const refusals: [string, string][] = [
      ['metrics=logins', 'metric_unknown'],
      ['metrics=logins_total&from=-7d&step=1s', 'step_too_fine'],
      ['metrics=logins_total&from=now&to=-1h', 'range_invalid'],
      ['metrics=logins_total&from=yesterday', 'range_invalid'],
      ['metrics=client_bytes_total&groupBy=upstream', 'metric_unknown'],
      ['metrics=logins_total&groupBy=moon', 'request_invalid'],
      ['', 'request_invalid'],
    ]
    for (const [query, code] of refusals) {
      const { status, body } = await plane.api(`/v1/stats/history?${query}`)
      assert.equal(status, 400, query)
      assert.equal((body as { code: string }).code, code, query)
      assert.ok((body as { detail: string }).detail.length > 10, query)
    }
  })
})

/**
 * Sends the reports of the actions to `reports`, and returns the history that the received reports imply: the logins
 * between two reports are spread evenly over the time between them, or over the last minute of it.
 */
function live(
  story: Story,
  edge: SimulatedEdge,
  from: number,
  reports: { edge: SimulatedEdge; report: Report }[],
) {
  const steps = Array<number | null>(points).fill(null)
  const moments = [...new Set(story.reports)].toSorted((a, b) => a - b)
  const boots = [-61, ...story.restarts.toSorted((a, b) => a - b)]
  let arrivals = 0
  for (const [index, start] of boots.entries()) {
    const end = boots[index + 1] ?? Infinity
    edge.restart(from + start * 1000)
    let told: { at: number; counted: number } | undefined
    let isFirstReport = true
    for (const moment of moments.filter((at) => at > start && at <= end)) {
      const counted = story.logins.filter((at) => at > start && at <= moment).length
      const histogram = { sum: counted / 1000, counts: counted === 0 ? {} : { '80': counted } }
      const counters: Record<string, number> = counted === 0 ? {} : { [ok]: counted }
      const report = edge.report(
        { counters, histograms: { login_seconds: histogram }, gauges: { clients_connected: counted } },
        from + moment * 1000,
      )
      const place = arrivals++
      const knowsBase = told !== undefined || isFirstReport || start >= 0
      isFirstReport = false
      if (story.lost.includes(place)) continue
      reports.push({ edge, report })
      if (story.doubled.includes(place)) reports.push({ edge, report })
      if (knowsBase) {
        const since = Math.max(told?.at ?? start, moment - 60)
        spread(steps, since, moment, counted - (told?.counted ?? 0))
      }
      told = { at: moment, counted }
    }
  }
  return steps
}

/** Places logins one by one. The last one was at the time of the report. Times are in seconds. */
function spread(steps: (number | null)[], since: number, moment: number, logins: number): void {
  const stepSeconds = stepMs / 1000
  // The edge was there, also in a step without a login.
  for (let step = 0; step < points; step++)
    if (step * stepSeconds <= moment && (step + 1) * stepSeconds > since) steps[step] ??= 0
  for (let login = 1; login <= logins; login++) {
    // Exact: as a fraction with the denominator `logins`.
    const numerator = since * logins + login * (moment - since)
    const step = Math.ceil(numerator / (logins * stepSeconds)) - 1
    if (step >= 0 && step < points) steps[step]! += 1
  }
}

const total = (steps: readonly (number | null)[]): number | null =>
  steps.every((step) => step === null) ? null : steps.reduce<number>((sum, step) => sum + (step ?? 0), 0)

const added = (groups: readonly (readonly (number | null)[])[]): (number | null)[] =>
  Array.from({ length: points }, (_, step) => total(groups.map((steps) => steps[step] ?? null)))
