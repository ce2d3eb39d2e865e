/** The checks of Postgres: connect, version, role, read-write, migrations, clock. Nothing is changed. */
import { readFileSync } from 'node:fs'
import { findingsAbout, reasonOf, type CheckFinding } from '@imapfleet/observe'
import { parseJson } from '@imapfleet/protocol'
import { z } from 'zod'
import type { DatabaseAddress } from './address.ts'
import { openDatabase, tryWrite, type Database } from './database.ts'
import { migrationsDirectory } from '../places.ts'
import { troubleOf } from './trouble.ts'

const oldestVersion = 150_000
const clockSkewMaxMs = 5_000

export async function checkDatabase(address: DatabaseAddress): Promise<CheckFinding[]> {
  const db = openDatabase(address, 'imapfleet-control doctor')
  const { ok, fail } = findingsAbout('postgres')
  try {
    const askedAt = Date.now()
    const [row] = await db.sql<ServerRow[]>`
      select current_setting('server_version') as version, current_setting('server_version_num')::int as number,
        pg_is_in_recovery() as standby, current_setting('default_transaction_read_only') = 'on' as "readOnly",
        current_user as role, current_database() as database,
        coalesce(has_schema_privilege('public', 'CREATE'), false) as "mayCreate",
        has_database_privilege(current_database(), 'CREATE') as "mayCreateSchemas",
        extract(epoch from clock_timestamp())::float8 * 1000 as now`
    if (!row) throw new Error('no answer')
    const tookMs = Date.now() - askedAt
    const hosts = address.hosts.map(({ host, port }) => `${host} port ${port}`).join(', ')
    const isWritable = !row.standby && !row.readOnly
    return [
      ok(`connected to ${row.database} at ${hosts} as ${row.role}`),
      row.number >= oldestVersion
        ? ok(`version ${row.version}`)
        : fail(`version ${row.version}, and control needs 15 or newer`, 'upgrade Postgres'),
      ...(isWritable
        ? []
        : [
            fail(
              row.standby ? 'it is a standby' : 'default_transaction_read_only is on',
              'control writes: connect it to the primary with DATABASE_URL',
            ),
          ]),
      ...(await checkMigrations(db, row)),
      checkClock(row.now - askedAt - tookMs / 2, tookMs),
      ...(isWritable ? [await checkWrite(db)] : []),
    ]
  } catch (error) {
    return [
      fail(
        `cannot be used: ${reasonOf(error)}`,
        'check DATABASE_URL, and whether Postgres accepts this role from this host (pg_hba.conf)',
      ),
    ]
  } finally {
    await db.close()
  }
}

interface ServerRow {
  version: string
  number: number
  standby: boolean
  readOnly: boolean
  role: string
  database: string
  mayCreate: boolean
  mayCreateSchemas: boolean
  now: number
}

const journalSchema = z.object({ entries: z.array(z.object({ when: z.number(), tag: z.string() })) })

/** drizzle applies what is newer than the newest migration that it has applied. */
async function checkMigrations({ sql }: Database, row: ServerRow): Promise<CheckFinding[]> {
  const { ok, warn, fail } = findingsAbout('migrations')
  const { entries } = journalSchema.parse(
    parseJson(readFileSync(`${migrationsDirectory}/meta/_journal.json`, 'utf8')),
  )
  const [table] = await sql<
    { there: boolean }[]
  >`select to_regclass('drizzle.__drizzle_migrations') is not null as there`
  const [last] = table?.there
    ? await sql<
        { at: number | null }[]
      >`select max(created_at)::float8 as at from drizzle.__drizzle_migrations`
    : []
  const applied = last?.at ?? 0
  const pending = entries.filter(({ when }) => when > applied)
  const newest = Math.max(...entries.map(({ when }) => when))
  if (applied > newest)
    return [
      warn(
        'a newer version of control has migrated this database',
        'this version works with it; upgrade all replicas',
      ),
    ]
  if (pending.length === 0) return [ok(`all ${entries.length} are applied`)]
  if (row.mayCreate && row.mayCreateSchemas)
    return [ok(`${pending.length} of ${entries.length} are applied at the next start`)]
  return [
    fail(
      `${pending.length} are not applied, and ${row.role} may not create tables`,
      `make ${row.role} the owner: ALTER DATABASE ${row.database} OWNER TO ${row.role}`,
    ),
  ]
}

function checkClock(skewMs: number, tookMs: number): CheckFinding {
  const { ok, warn } = findingsAbout('clock')
  const seconds = (Math.abs(skewMs) / 1000).toFixed(1)
  if (Math.abs(skewMs) <= clockSkewMaxMs + tookMs / 2)
    return ok(`differs from the clock of Postgres by ${seconds} s`)
  return warn(
    `is ${seconds} s ${skewMs > 0 ? 'behind' : 'ahead of'} the clock of Postgres`,
    'run NTP on both hosts',
  )
}

async function checkWrite(db: Database): Promise<CheckFinding> {
  const { ok, fail } = findingsAbout('postgres')
  try {
    await tryWrite(db)
    return ok('accepts writes')
  } catch (error) {
    const trouble = troubleOf(error)
    if ((error as { code?: string }).code === '42P01')
      return ok('has no tables yet: control creates them at its start')
    return fail(
      `accepts no writes: ${trouble === 'full' ? 'its disk is full' : reasonOf(error)}`,
      'see docs/failure-modes.md',
    )
  }
}
