import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { seriesOfEdgeMax } from '@imapfleet/protocol'
import type { Database } from '../../platform/db/database.ts'
import { testDatabase } from '../../platform/db/postgres.test-support.ts'
import { deleteOldSeries, Series } from './series.ts'

const key = (upstream: string) => `upstream_reuses_total{upstream="${upstream}"}`
const invented = (first: number, count: number) =>
  new Set(Array.from({ length: count }, (_, index) => key(`x${first + index}`)))

suite('series', () => {
  let db: Database
  before(async () => (db = await testDatabase()))
  after(async () => await db?.close())

  const known = (series: Series, keys: Iterable<string>) =>
    [...keys].filter((each) => series.numberOf(each) !== undefined).length

  test('an edge that invents label values reaches its quota, and the series of others are stored', async () => {
    const series = new Series(db)
    // Two batches are written at the same time.
    await Promise.all(
      Array.from({ length: 12 }, (_, report) =>
        series.learn(new Map([['evil', invented(report * 500, 500)]])),
      ),
    )
    assert.equal(known(series, invented(0, 6_000)), seriesOfEdgeMax)
    const honest = new Set([key('main'), key('spare')])
    await series.learn(
      new Map([
        ['evil', invented(7_000, 500)],
        ['eu-1', honest],
      ]),
    )
    assert.equal(known(series, honest), 2)
    assert.equal(known(series, invented(7_000, 500)), 0)
    // In another process too.
    const replica = new Series(db)
    await replica.learn(
      new Map([
        ['evil', invented(8_000, 10)],
        ['us-1', new Set([key('us')])],
      ]),
    )
    assert.deepEqual([known(replica, invented(8_000, 10)), known(replica, [key('us')])], [0, 1])
  })

  test('an edge at its quota keeps the series that it has, and those that others have', async () => {
    const series = new Series(db)
    await series.learn(new Map([['evil', new Set([key('x0'), key('main'), key('new')])]]))
    assert.deepEqual([known(series, [key('x0'), key('main')]), known(series, [key('new')])], [2, 0])
  })

  test('series that were not reported for a month are not charged, and stay readable until their history is deleted', async () => {
    await db.sql`update series set used_at = now() - interval '31 days' where introduced_by = 'evil'`
    const series = new Series(db)
    await series.learn(new Map([['evil', new Set([key('later')])]]))
    assert.equal(known(series, [key('later')]), 1)
    const count = async () =>
      Number((await db.sql<{ count: string }[]>`select count(*) from series`)[0]?.count)
    const all = await count()
    await deleteOldSeries(db.sql, Date.now() - 90 * 86_400_000)
    assert.equal(await count(), all)
    await deleteOldSeries(db.sql, Date.now() - 20 * 86_400_000)
    assert.ok((await count()) < 10)
  })

  test('series in use stay, and a number that was deleted meanwhile is not used', async () => {
    let now = 0
    const series = new Series(db, () => now)
    const keys = new Set([key('main'), key('gone')])
    await series.learn(new Map([['eu-1', keys]]))
    const number = series.numberOf(key('main'))
    await db.sql`update series set used_at = now() - interval '1 day' where key = any(${[...keys]})`
    await db.sql`delete from series where key = ${key('gone')}`
    now += 13 * 3_600_000
    await series.refresh()
    assert.equal(known(series, keys), 2)
    await series.refresh()
    assert.equal(series.numberOf(key('main')), number)
    assert.equal(series.numberOf(key('gone')), undefined)
    const [row] =
      await db.sql`select used_at > now() - interval '1 minute' as fresh from series where key = ${key('main')}`
    assert.equal(row?.fresh, true)
  })

  test('numbers are forgotten when a connection is lost: the next database may be an older one', async () => {
    let losses = 0
    const series = new Series({ sql: db.sql, losses: () => losses })
    await series.learn(new Map([['eu-1', new Set([key('main')])]]))
    losses++
    await series.refresh()
    assert.equal(series.numberOf(key('main')), undefined)
  })
})
