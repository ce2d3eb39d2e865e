/**
 * Partitions of the tables of figures: created before their time begins, and dropped as a whole after the retention.
 */
import type { Deps } from '../../deps.ts'
import type { Lease } from '../../platform/ticks/leases.ts'
import type { Database } from '../../platform/db/database.ts'
import { instantSql, type Sql } from '../../platform/db/sql.ts'
import { deleteOldSeries } from './series.ts'
import { dayMs, keptSince, type Retention } from './window.ts'

interface Table {
  name: string
  by: 'day' | 'month'
  keptAs: keyof Retention
}

const tables: readonly Table[] = [
  { name: 'reports', by: 'day', keptAs: 'reports' },
  { name: 'history_10s', by: 'day', keptAs: 'reports' },
  { name: 'history_1m', by: 'day', keptAs: 'minutes' },
  { name: 'history_1h', by: 'month', keptAs: 'hours' },
]

interface Partition {
  name: string
  from: number
  to: number
}

const daysAhead = 3
/** Rows dated further ahead than this are deleted: the clock of their edge was wrong. */
const aheadMaxMs = 30 * dayMs
/** Longest wait for a table lock, so that readers and writers are not blocked. The next run tries again. */
const lockTimeout = '3s'

/** Creates the partitions of the coming days. Any replica can do it. */
export async function makePartitions({ db, now }: Deps, lease: Lease): Promise<void> {
  await createPartitions(db, lease, now())
}

/** Drops figures that have expired, a day or a month at a time. */
export async function forgetOldHistory({ kept, log, now }: Deps, lease: Lease): Promise<void> {
  await lease.begin(async (tx) => {
    const since = keptSince(kept, now())
    const dropped = await dropPartitions(tx, since, now())
    await deleteOldSeries(tx, since.hours)
    if (dropped.length > 0) log.info('old history was deleted', { tables: dropped.join(' ') })
  })
}

/** Creates the missing partitions of yesterday, today and the next days. */
async function createPartitions(db: Database, lease: Lease, now: number): Promise<void> {
  for (const table of tables)
    for (let day = -1; day <= daysAhead; day++) await makePartition(db, lease, table, now + day * dayMs)
}

/** Drops the partitions that are entirely before these times, and returns their names. */
async function dropPartitions(sql: Sql, since: Retention, now: number): Promise<string[]> {
  await sql`select set_config('lock_timeout', ${lockTimeout}, true)`
  const dropped: string[] = []
  for (const table of tables) {
    for (const partition of await partitionsOf(sql, table)) {
      if (partition.to > since[table.keptAs]) continue
      await sql`drop table ${sql(partition.name)}`
      dropped.push(partition.name)
    }
    await sql`
      delete from ${sql(`${table.name}_default`)}
      where at < ${instantSql(sql, since[table.keptAs])} or at > ${instantSql(sql, now + aheadMaxMs)}`
  }
  // Its rollups can no longer be made.
  await sql`
    delete from history_due
    where at < ${instantSql(sql, since.reports)} and resolution = '1m' or at < ${instantSql(sql, since.minutes)}
      or at > ${instantSql(sql, now + aheadMaxMs)}`
  await sql`
    update fleet set reports_since = ${instantSql(sql, since.reports)}
    where reports_since < ${instantSql(sql, since.reports)}`
  return dropped
}

async function makePartition(db: Database, lease: Lease, table: Table, at: number): Promise<void> {
  const { name, from, to } = partitionAt(table, at)
  const [existing] = await db.sql`select to_regclass(${name}) is not null as there`
  if (existing?.there === true) return
  const parent = db.sql(table.name)
  const rest = db.sql(`${table.name}_default`)
  await lease.begin(async (tx) => {
    // The default partition may contain rows of that time. Postgres refuses the new partition until they are moved.
    await tx`lock table ${rest} in access exclusive mode`
    const within = tx`at >= ${instantSql(tx, from)} and at < ${instantSql(tx, to)}`
    await tx`create temporary table late (like ${rest}) on commit drop`
    await tx`insert into late select * from ${rest} where ${within}`
    await tx`delete from ${rest} where ${within}`
    // Bounds cannot be parameters. They are computed from a clock only.
    const bounds = `from ('${new Date(from).toISOString()}') to ('${new Date(to).toISOString()}')`
    await tx.unsafe(`create table if not exists ${name} partition of ${table.name} for values ${bounds}`)
    await tx`insert into ${parent} select * from late`
  })
}

function partitionAt({ name, by }: Table, at: number): Partition {
  const day = new Date(at)
  const [year, month] = [day.getUTCFullYear(), day.getUTCMonth()]
  const from = Date.UTC(year, month, by === 'day' ? day.getUTCDate() : 1)
  const to = by === 'day' ? from + dayMs : Date.UTC(year, month + 1, 1)
  const digits = by === 'day' ? 10 : 7
  return { name: `${name}_${new Date(from).toISOString().slice(0, digits).replaceAll('-', '')}`, from, to }
}

/** Partitions with a time in their name: all except the default one. */
async function partitionsOf(sql: Sql, table: Table): Promise<Partition[]> {
  const rows = await sql<{ name: string }[]>`
    select child.relname as name from pg_inherits join pg_class as child on child.oid = inhrelid
    where inhparent = ${table.name}::regclass order by child.relname`
  return rows.flatMap(({ name }) => {
    const [, year, month, day = '01'] = /_(\d{4})(\d{2})(\d{2})?$/.exec(name) ?? []
    if (year === undefined || month === undefined) return []
    return [partitionAt(table, Date.UTC(Number(year), Number(month) - 1, Number(day)))]
  })
}
