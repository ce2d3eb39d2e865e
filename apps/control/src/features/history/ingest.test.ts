import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { randomUUID } from 'node:crypto'
import type { Report } from '@imapfleet/protocol'
import type { Database } from '../../platform/db/database.ts'
import { testDatabase } from '../../platform/db/postgres.test-support.ts'
import { insertReports, packReport } from './ingest-queries.ts'
import { inOurTime } from './ingest.ts'
import { Series } from './series.ts'

const dayMs = 86_400_000
const storedAt = 1_800_000_000_000
const report = (at: number): Report => ({
  v: 1,
  edge: 'eu-1',
  region: 'eu',
  boot: randomUUID(),
  at,
  startedAt: at - 600_000,
  sequence: 3,
  counters: { client_bytes_total: 1 },
  gauges: {},
  histograms: {},
})
const placed = (at: number, skewMs?: number) => {
  const { at: moment, startedAt, isMoved } = inOurTime(report(at), storedAt, skewMs)
  return [moment - storedAt, startedAt - storedAt, isMoved]
}

test('a report keeps its time if the clock of its edge is right, also after an outage', () => {
  assert.deepEqual(placed(storedAt - 20), [-20, -600_020, false])
  assert.deepEqual(placed(storedAt - dayMs), [-dayMs, -dayMs - 600_000, false])
  assert.deepEqual(placed(storedAt + 4_000), [4_000, -596_000, false])
})

test('a report of an edge with a wrong clock is placed in the time of control, never after its arrival', () => {
  assert.deepEqual(placed(storedAt - 20 + dayMs, dayMs), [-20, -600_020, true])
  assert.deepEqual(placed(storedAt - 20 - dayMs, -dayMs), [-20, -600_020, true])
  // A report that waited ten minutes in the outbox of that edge.
  assert.deepEqual(placed(storedAt - 600_000 - dayMs, -dayMs), [-600_000, -1_200_000, true])
  assert.deepEqual(placed(storedAt + 900 + dayMs, dayMs), [0, -600_000, true])
})

test('a report that is dated after its arrival is placed at its arrival if the skew is unknown', () => {
  assert.deepEqual(placed(storedAt + dayMs), [0, -600_000, true])
})

suite('storing reports', () => {
  let db: Database
  before(async () => (db = await testDatabase()))
  after(async () => await db?.close())
  const rows = async (boot: string) => await db.sql`select at from reports where boot = ${boot}`

  test('a report that was moved is stored once, also if a second delivery gives it another time', async () => {
    const series = new Series(db)
    const moved = inOurTime(report(storedAt + dayMs), storedAt)
    await insertReports(db, series, [packReport(series, moved)])
    await insertReports(db, series, [packReport(series, { ...moved, at: moved.at + 180_000 })])
    assert.equal((await rows(moved.boot)).length, 1)
  })

  test('the minute of a report and the one before it are due', async () => {
    await db.sql`delete from history_due`
    const series = new Series(db)
    await insertReports(db, series, [packReport(series, inOurTime(report(storedAt), storedAt))])
    const due = await db.sql`select at, spreads from history_due order by at`
    assert.deepEqual(
      due.map(({ at, spreads }) => [(at as Date).getTime() - storedAt, spreads]),
      [
        [-60_000, false],
        [0, true],
      ],
    )
  })
})
