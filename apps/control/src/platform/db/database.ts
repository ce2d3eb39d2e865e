/**
 * Postgres, as two clients: one for drizzle, which modifies the client that it gets, and a plain one for bulk SQL.
 * Both connect on first use and reconnect after every loss.
 */
import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js'
import type postgres from 'postgres'
import type { DatabaseAddress } from './address.ts'
import { openClient } from './client.ts'
import * as schema from './schema.ts'
import { Series } from '../../features/history/series.ts'

type Orm = PostgresJsDatabase<typeof schema>
/** What the queries of one table accept, inside or outside a transaction. */
export type Queries = Pick<Orm, 'select' | 'selectDistinctOn' | 'insert' | 'update' | 'delete' | 'execute'>

export interface Database {
  orm: Orm
  sql: postgres.Sql
  series: Series
  address: DatabaseAddress
  close: () => Promise<void>
}

/** The longest time for a statement. It is shorter than the timeout of a request. */
const statementTimeoutMs = 20_000

/** How long statements in progress can take at a close. */
const closeTimeoutS = 1

const connection = (max: number): postgres.Options<Record<string, never>> => ({
  max,
  connect_timeout: 5,
  idle_timeout: 300,
  // A request waits at most this long before it gets `database_unavailable`.
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

/** A separate connection, for session locks. */
export const openSingle = ({ url, ssl }: DatabaseAddress) =>
  openClient(url, { ...connection(1), ssl, connection: { application_name: 'imapfleet-control' } })

/** Resolves if Postgres answers and has our tables, and throws otherwise. */
export async function ping(db: Database): Promise<void> {
  await db.sql`select desired_version from fleet`
}
