/**
 * Postgres, as two clients: drizzle's own (it changes the client that it is given, so it has one to itself) and a plain
 * one for bulk and set-wise SQL. Both connect when first used and again for ever after.
 */
import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js'
import type postgres from 'postgres'
import type { DatabaseAddress } from './address.ts'
import { openClient } from './client.ts'
import * as schema from './schema.ts'
import { Series } from './series.ts'

type Orm = PostgresJsDatabase<typeof schema>
/** Inside a transaction or not: what the queries of one table take. */
export type Queries = Pick<Orm, 'select' | 'selectDistinctOn' | 'insert' | 'update' | 'delete' | 'execute'>

export interface Database {
  orm: Orm
  sql: postgres.Sql
  series: Series
  address: DatabaseAddress
  close: () => Promise<void>
}

/** Longest a statement may run: below the time after which a request is given up. */
const statementTimeoutMs = 20_000

/** How long statements under way may take when all is closed. */
const closeTimeoutS = 1

const connection = (max: number): postgres.Options<Record<string, never>> => ({
  max,
  connect_timeout: 5,
  idle_timeout: 300,
  // A request waits at most this long before it is told that Postgres is away.
  backoff: () => 0.5,
  onnotice: () => {},
  connection: { application_name: 'imapfleet-control', statement_timeout: statementTimeoutMs },
})

export function openDatabase(address: DatabaseAddress): Database {
  const { url, ssl } = address
  const series = new Series()
  const plain = openClient(url, { ...connection(8), ssl, onclose: () => series.forget() })
  const forDrizzle = openClient(url, { ...connection(8), ssl })
  return {
    orm: drizzle(forDrizzle, { schema }),
    sql: plain,
    series,
    address,
    close: async () => {
      await Promise.all([plain.end({ timeout: closeTimeoutS }), forDrizzle.end({ timeout: closeTimeoutS })])
    },
  }
}

/** One connection of its own, for session locks. */
export const openSingle = ({ url, ssl }: DatabaseAddress) =>
  openClient(url, { ...connection(1), ssl, connection: { application_name: 'imapfleet-control' } })

/** Answers and has our tables, or throws. */
export async function ping(db: Database): Promise<void> {
  await db.sql`select desired_version from fleet`
}
