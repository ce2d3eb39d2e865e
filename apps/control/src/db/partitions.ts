/** One partition of `reports` a day, made before the day begins. */
import type { Database } from './database.ts'

const dayMs = 86_400_000
const ahead = 3

/** Makes the partitions of yesterday, today and the next days, as far as they are missing. */
export async function makePartitions(db: Database, now: number): Promise<void> {
  for (let day = -1; day <= ahead; day++) await makeDay(db, Math.floor(now / dayMs) * dayMs + day * dayMs)
}

async function makeDay(db: Database, start: number): Promise<void> {
  const from = new Date(start).toISOString()
  const to = new Date(start + dayMs).toISOString()
  const name = `reports_${from.slice(0, 10).replaceAll('-', '')}`
  const [existing] = await db.sql`select to_regclass(${name}) is not null as there`
  if (existing?.there === true) return
  await db.sql.begin(async (tx) => {
    // Rows of that day may stand in the default partition; Postgres refuses the new one until they are moved.
    await tx`lock table reports_default in access exclusive mode`
    await tx`create temporary table late on commit drop as
      select * from reports_default where at >= ${from} and at < ${to}`
    await tx`delete from reports_default where at >= ${from} and at < ${to}`
    await tx.unsafe(partitionOf(name, from, to))
    await tx`insert into reports select * from late`
  })
}

/** Bounds cannot be parameters; both are made above from a clock. */
const partitionOf = (name: string, from: string, to: string): string =>
  `create table if not exists ${name} partition of reports for values from ('${from}') to ('${to}')`
